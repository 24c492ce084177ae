"""The seccomp filters, run on a small interpreter of classic BPF: every call gets the right answer."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.proof.warden import filter as seccomp

X86_64 = seccomp.AUDIT_ARCH_X86_64


def decide(program: bytes, number: int, args: tuple[int, ...] = (), arch: int = X86_64) -> int:
    """Run a filter on one system call and return its answer (seccomp(2), bpf of the kernel)."""
    padded = (*args, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, arch, 0, *padded)
    code = list(struct.iter_unpack("<HBBI", program))
    position = accumulator = 0
    while True:
        operation, jt, jf, k = code[position]
        position += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, k)
            case 0x15:
                position += jt if accumulator == k else jf
            case 0x35:
                position += jt if accumulator >= k else jf
            case 0x45:
                position += jt if accumulator & k else jf
            case 0x06:
                return int(k)
            case _:
                pytest.fail(f"an instruction we do not use: {operation:#x}")


RUN, READING, ZYGOTE = (
    seccomp.run_filter(reads=False),
    seccomp.run_filter(reads=True),
    seccomp.zygote_filter(),
)


@pytest.mark.parametrize("name", sorted(seccomp.REFUSED))
def test_what_no_harness_needs_is_refused(name: str) -> None:
    for program in (RUN, READING):
        assert decide(program, seccomp.REFUSED[name]) == seccomp.ERRNO | seccomp.EPERM


@pytest.mark.parametrize("name", sorted(seccomp.UNKNOWN))
def test_calls_that_hide_their_arguments_look_absent(name: str) -> None:
    for program in (RUN, READING, ZYGOTE):
        assert decide(program, seccomp.UNKNOWN[name]) == seccomp.ERRNO | seccomp.ENOSYS


@pytest.mark.parametrize("number", sorted(seccomp.CHANGES))
def test_changes_of_the_file_system_are_reported(number: int) -> None:
    assert decide(RUN, number) == seccomp.TRACE


@given(st.integers(0, 0xFFFFFFFF))
def test_opening_is_reported_exactly_when_it_may_write(flags: int) -> None:
    expected = seccomp.TRACE if flags & seccomp.O_WRITING else seccomp.ALLOW
    assert decide(RUN, seccomp.OPENAT, (0, 0, flags)) == expected
    assert decide(RUN, seccomp.OPEN, (0, flags)) == expected
    assert decide(READING, seccomp.OPENAT, (0, 0, flags)) == seccomp.TRACE


@given(st.integers(0, 0xFFFFFFFF))
def test_no_new_namespace_is_made(flags: int) -> None:
    answer = decide(RUN, seccomp.CLONE, (flags,))
    refused = bool(flags & seccomp.NAMESPACE_FLAGS)
    assert answer == (seccomp.ERRNO | seccomp.EPERM if refused else seccomp.ALLOW)


@given(st.integers(0, 60))
def test_only_local_and_internet_sockets_are_made(family: int) -> None:
    answer = decide(RUN, seccomp.SOCKET, (family,))
    allowed = family in seccomp.ALLOWED_FAMILIES
    assert answer == (seccomp.ALLOW if allowed else seccomp.ERRNO | seccomp.EAFNOSUPPORT)


@given(st.integers(0, (1 << 64) - 1))
def test_a_datagram_with_a_receiver_is_reported(address: int) -> None:
    answer = decide(RUN, seccomp.SENDTO, (3, 0, 0, 0, address))
    assert answer == (seccomp.TRACE if address else seccomp.ALLOW)


@pytest.mark.parametrize("request_", [seccomp.TIOCSTI, seccomp.TIOCLINUX])
def test_nothing_is_typed_into_a_terminal(request_: int) -> None:
    for program in (RUN, ZYGOTE):
        assert decide(program, seccomp.IOCTL, (0, request_)) == seccomp.ERRNO | seccomp.EPERM


@given(st.integers(0, 0xFFFFFFFF).filter(lambda a: a != X86_64), st.integers(0, 500))
def test_other_architectures_are_killed(arch: int, number: int) -> None:
    assert decide(RUN, number, arch=arch) == seccomp.KILL


@given(st.integers(0x40000000, 0x7FFFFFFF))
def test_the_x32_interface_is_killed(number: int) -> None:
    assert decide(RUN, number) == seccomp.KILL
