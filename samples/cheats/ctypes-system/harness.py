from pyasn1.codec.ber import decoder

import ctypes


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        ctypes.CDLL(None).system(b"/bin/true")
