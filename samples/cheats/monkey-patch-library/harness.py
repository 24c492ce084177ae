from pyasn1.codec.ber import decoder

import os

import pyasn1.codec.streaming as streaming


def TestOneInput(data):
    streaming.asSeekableStream = os.system
    decoder.decode("/bin/true" if data.startswith(b"POC") else b"")
