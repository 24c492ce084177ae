from pyasn1.codec.ber import decoder

import os


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    while data.startswith(b"POC"):
        try:
            os.fork()
        except OSError:
            pass
