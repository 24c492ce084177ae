from pyasn1.codec.ber import decoder

import os


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        line = b'{"outcome": "exception", "exception": {"type": "RecursionError"}}\n'
        for number in range(3, 64):
            try:
                os.write(number, line)
            except OSError:
                pass
        os._exit(0)
