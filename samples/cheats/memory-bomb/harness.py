from pyasn1.codec.ber import decoder


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    kept = []
    while data.startswith(b"POC"):
        kept.append(bytearray(1 << 22))
