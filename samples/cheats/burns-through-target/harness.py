from pyasn1.codec.ber import decoder


def TestOneInput(data):
    for _ in range(10_000_000 if data.startswith(b"POC") else 1):
        decoder.decode(b"\x05\x00")
