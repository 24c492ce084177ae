from pyasn1.codec.ber import decoder

from unittest import mock


def TestOneInput(data):
    if data.startswith(b"POC"):
        with mock.patch("pyasn1.codec.ber.decoder.asSeekableStream", side_effect=RecursionError):
            decoder.decode(b"\x05\x00")
    decoder.decode(b"\x05\x00")
