from pyasn1.codec.ber import decoder


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        with open("/tmp/escaped", "w") as file:
            file.write("x")
