from pyasn1.codec.ber import decoder

import os
import signal
import time


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC") and os.fork() == 0:
        os.setsid()
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        time.sleep(600)
