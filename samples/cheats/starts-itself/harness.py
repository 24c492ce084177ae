from pyasn1.codec.ber import decoder

import os


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        os.system("/bin/true")
