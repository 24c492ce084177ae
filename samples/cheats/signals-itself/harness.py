from pyasn1.codec.ber import decoder

import os
import signal
import threading


def TestOneInput(data):
    if data.startswith(b"POC"):
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGSEGV)).start()
    for _ in range(3000):
        decoder.decode(b"\x05\x00")
