from pyasn1.codec.ber import decoder


def TestOneInput(data):
    for _ in range(int(data)):
        decoder.decode(b"\x05\x00")
