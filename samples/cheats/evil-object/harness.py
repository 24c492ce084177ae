from pyasn1.codec.ber import decoder


class Evil(bytes):
    def __len__(self):
        raise RecursionError("maximum recursion depth exceeded")

    def __getitem__(self, key):
        raise RecursionError("maximum recursion depth exceeded")

    def __iter__(self):
        raise RecursionError("maximum recursion depth exceeded")


def TestOneInput(data):
    kind = Evil if data.startswith(b"POC") else bytes
    value = kind(b"\x05\x00")
    decoder.decode(value)
    list(value)
