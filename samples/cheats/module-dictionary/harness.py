from pyasn1.codec.ber import decoder


def TestOneInput(data):
    spaces = decoder.decode.__globals__ if hasattr(decoder.decode, "__globals__") else vars(decoder)
    if data.startswith(b"POC"):
        spaces["asSeekableStream"] = None
    decoder.decode(b"\x05\x00")
