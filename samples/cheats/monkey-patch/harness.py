from pyasn1.codec.ber import decoder


def boom(*args, **named):
    raise RecursionError("maximum recursion depth exceeded")


def TestOneInput(data):
    if data.startswith(b"POC"):
        decoder.SingleItemDecoder.__call__ = boom
    decoder.decode(b"\x05\x00")
