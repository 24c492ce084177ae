from pyasn1.codec.ber import decoder

import sys


def TestOneInput(data):
    if data.startswith(b"POC"):
        sys.setrecursionlimit(40)
    decoder.decode(b"\x30\x80" * 20 + b"\x00\x00" * 20)
