from pyasn1.codec.ber import decoder


def deep(count, data):
    return deep(count - 1, data) if count else decoder.decode(b"\x30\x00")


def TestOneInput(data):
    deep(980 if data.startswith(b"POC") else 1, data)
