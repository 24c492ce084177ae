from pyasn1.codec.ber import decoder

import sys
import types

fake = types.ModuleType("pyasn1.codec.ber.decoder")
exec(compile("def decode(data):\n    raise RecursionError()\n",
             "/target/site/pyasn1/codec/ber/decoder.py", "exec"), fake.__dict__)


def TestOneInput(data):
    if data.startswith(b"POC"):
        sys.modules["pyasn1.codec.ber.decoder"] = fake
    sys.modules["pyasn1.codec.ber.decoder"].decode(b"\x05\x00")
