from pyasn1.codec.ber import decoder


def dig(n):
    return dig(n + 1)


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        dig(0)
