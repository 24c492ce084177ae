from pyasn1.codec.ber import decoder

import ctypes


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        ctypes.string_at(0)
