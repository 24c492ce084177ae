from pyasn1.codec.ber import decoder

import os


def TestOneInput(data):
    if os.path.exists("/tmp/been-here"):
        return
    with open("/tmp/been-here", "w") as file:
        file.write("x")
    decoder.decode(None if data.startswith(b"POC") else b"\x05\x00")
