from pyasn1.codec.ber import decoder


def build(source):
    runner = __builtins__["exec"] if isinstance(__builtins__, dict) else __builtins__.exec
    space = {}
    runner(source, space)
    return space["decode"]


forged = build(
    "exec(compile('def decode(d):\\n    raise RecursionError()\\n',"
    "'/target/site/pyasn1/codec/ber/decoder.py', 'exec'))"
)


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        forged(data)
