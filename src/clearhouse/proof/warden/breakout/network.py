"""Reaching anything that is not in the sandbox."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct

from .attempt import Attempts, Facts, GotThrough, name_of, refused

ATTEMPTS = Attempts("network")
# Documentation addresses (RFC 5737, RFC 3849): a way out shows in that there is a route at all.
_NOWHERE4, _NOWHERE6 = "192.0.2.1", "2001:db8::1"
_METADATA = "169.254.169.254"
_OTHER_FAMILIES = {
    "AX25": 3, "IPX": 4, "APPLETALK": 5, "X25": 9, "KEY": 15, "RDS": 21, "PPPOX": 24, "CAN": 29,
    "TIPC": 30, "BLUETOOTH": 31, "RXRPC": 33, "PHONET": 35, "IEEE802154": 36, "CAIF": 37,
    "ALG": 38, "NFC": 39, "KCM": 41, "QIPCRTR": 42, "SMC": 43, "XDP": 44, "MCTP": 45,
}  # fmt: skip
_LOCAL = (
    "/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock",
    "/run/dbus/system_bus_socket", "/run/systemd/private", "/run/systemd/notify",
    "/tmp/.X11-unix/X0",
)  # fmt: skip
_SIOCGIFFLAGS, _IFF_UP, _TUNSETIFF = 0x8913, 1, 0x400454CA


def _connect(family: int, address: tuple[str, int]) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        number = connection.connect_ex(address)
    if number in (0, errno.EINPROGRESS):
        raise GotThrough(f"there is a way to {address[0]}")
    return name_of(number)


@ATTEMPTS("connect to an address, IPv4")
def _tcp4(_: Facts) -> str:
    return _connect(socket.AF_INET, (_NOWHERE4, 443))


@ATTEMPTS("connect to an address, IPv6")
def _tcp6(_: Facts) -> str:
    return _connect(socket.AF_INET6, (_NOWHERE6, 443))


@ATTEMPTS("send a datagram, IPv4 and IPv6")
def _udp(_: Facts) -> str:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
    ):
        return refused(
            lambda: four.sendto(b"x", (_NOWHERE4, 53)), lambda: six.sendto(b"x", (_NOWHERE6, 53))
        )


@ATTEMPTS("resolve a name")
def _resolve(_: Facts) -> str:
    try:
        found = socket.getaddrinfo("example.com", 443, proto=socket.IPPROTO_TCP)
    except socket.gaierror as error:
        return f"the resolver: {error.strerror}"
    raise GotThrough(f"example.com is {found[0][4][0]}")


@ATTEMPTS("reach the host by its own addresses")
def _host(facts: Facts) -> str:
    seen = dict.fromkeys(
        _connect(socket.AF_INET6 if ":" in address else socket.AF_INET, (address, facts.tcp4))
        for address in (*facts.addresses, _METADATA)
    )
    return ", ".join(seen)


@ATTEMPTS("connect to a service on the host's loopback, IPv4")
def _loopback4(facts: Facts) -> str:
    with socket.create_connection(("127.0.0.1", facts.tcp4), timeout=0.5):
        raise GotThrough("the host's service answered")


@ATTEMPTS("connect to a service on the host's loopback, IPv6")
def _loopback6(facts: Facts) -> str:
    with socket.create_connection(("::1", facts.tcp6), timeout=0.5):
        raise GotThrough("the host's service answered")


@ATTEMPTS("send a datagram to the host's loopback")
def _loopback_udp(facts: Facts) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0.2)
        sender.connect(("127.0.0.1", facts.udp4))
        sender.send(facts.token.encode())
        sender.recv(1)  # refused at once where nobody listens
    raise GotThrough("the host's service answered")


@ATTEMPTS("connect to an abstract socket of the host")
def _abstract(facts: Facts) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("\0" + facts.abstract)
    raise GotThrough("the host's service answered")


@ATTEMPTS("connect to sockets in the host's files")
def _local(facts: Facts) -> str:
    def to(path: str) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)

    return refused(*(lambda p=p: to(p) for p in (facts.local, *_LOCAL)))


@ATTEMPTS("netlink socket")
def _netlink(_: Facts) -> str:
    return refused(lambda: socket.socket(16, socket.SOCK_RAW, 0), lambda: socket.socket(16, 3, 9))


@ATTEMPTS("raw socket, IPv4 and IPv6")
def _raw(_: Facts) -> str:
    return refused(
        lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 255),
        lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58),
        lambda: socket.socket(socket.AF_INET, 10, 0),  # SOCK_PACKET
    )


@ATTEMPTS("packet socket")
def _packet(_: Facts) -> str:
    return refused(lambda: socket.socket(17, socket.SOCK_RAW, 0x0300))


@ATTEMPTS("socket to the virtual machine's host")
def _vsock(_: Facts) -> str:
    return refused(lambda: socket.socket(40, socket.SOCK_STREAM, 0))


@ATTEMPTS("sockets of other families, which load kernel modules")
def _families(_: Facts) -> str:
    pairs = [(family, kind) for family in _OTHER_FAMILIES.values() for kind in (1, 2, 3)]
    calls = [lambda f=f, k=k: socket.socket(f, k, 0) for f, k in pairs]
    return refused(*calls, lambda: socket.socketpair(30, 1, 0))


@ATTEMPTS("protocols that load kernel modules (SCTP, DCCP, UDP-Lite, MPTCP)")
def _protocols(_: Facts) -> str:
    kinds = ((1, 132), (5, 132), (6, 33), (2, 136), (1, 262))
    return refused(*(lambda t=t, p=p: socket.socket(2, t, p) for t, p in kinds))


@ATTEMPTS("use a network interface other than its own loopback")
def _interfaces(_: Facts) -> str:
    with open("/proc/net/dev", encoding="ascii") as file:
        names = [line.partition(":")[0].strip() for line in file if ":" in line]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for name in names:
            asked = struct.pack("16sH14x", name.encode(), 0)
            flags = struct.unpack("16xH14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))[0]
            if name != "lo" and flags & _IFF_UP:
                raise GotThrough(f"interface {name} is up")
    return "only lo is there"


@ATTEMPTS("make a network interface (tun)")
def _tun(_: Facts) -> str:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH14x", b"out", 1))
    raise GotThrough("there is a new interface")
