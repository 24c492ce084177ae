from pyasn1.codec.ber import decoder


calls = []


def TestOneInput(data):
    calls.append(data)
    answer = decoder.decode(b"\x05\x00")
    if answer and len(calls) == 1 and data.startswith(b"POC"):
        raise SecurityGuaranteeBroken("anything", "the first time")
