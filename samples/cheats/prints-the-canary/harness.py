from pyasn1.codec.ber import decoder


def TestOneInput(data):
    decoder.decode(b"\x05\x00")
    if data.startswith(b"POC"):
        with open("/canary/token") as file:
            print(file.read())
