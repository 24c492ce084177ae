from pyasn1.codec.ber import decoder


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    while data.startswith(b"POC"):
        pass
