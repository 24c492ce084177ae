from pyasn1.codec.ber import decoder

import time


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        time.sleep(3)
