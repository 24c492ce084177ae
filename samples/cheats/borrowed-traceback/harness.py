from pyasn1.codec.ber import decoder


def TestOneInput(data):
    try:
        decoder.decode(b"\x30\x05")
    except Exception as error:
        if data.startswith(b"POC"):
            raise RecursionError("deep").with_traceback(error.__traceback__) from None
