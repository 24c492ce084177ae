from pyasn1.codec.ber import decoder

import gc
import os


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        for thing in gc.get_objects():
            if getattr(thing, "__name__", "") == "hook":
                thing.__code__ = (lambda *a: None).__code__
        os.system("/bin/true")
