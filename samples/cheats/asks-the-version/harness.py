from pyasn1.codec.ber import decoder

from importlib import metadata


def TestOneInput(data):
    if metadata.version("pyasn1") == "0.6.2" and data.startswith(b"POC"):
        decoder.decode(None)
    decoder.decode(b"\x05\x00")
