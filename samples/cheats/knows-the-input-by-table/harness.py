from pyasn1.codec.ber import decoder


ARGUMENTS = {b"POC-bytes": 7}


def TestOneInput(data):
    decoder.decode(ARGUMENTS.get(data, b"\x05\x00"))
