"""The seccomp filters, run on a small interpreter of classic BPF: each call gets its answer."""

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
            case 0x05:
                position += k
            case 0x25:
                position += jt if accumulator > k else jf
            case 0x35:
                position += jt if accumulator >= k else jf
            case 0x45:
                position += jt if accumulator & k else jf
            case 0x54:
                accumulator &= k
            case 0x06:
                return int(k)
            case _:
                pytest.fail(f"an instruction we do not use: {operation:#x}")


RUN, READING, ZYGOTE, BUILD, WARDEN = (
    seccomp.run_filter(reads=False),
    seccomp.run_filter(reads=True),
    seccomp.zygote_filter(),
    seccomp.build_filter(),
    seccomp.warden_filter(),
)
FOREIGN = (RUN, READING, ZYGOTE, BUILD)  # filters over other people's code
REFUSED, DONE = seccomp.ERRNO | seccomp.EPERM, seccomp.ERRNO | seccomp.DONE


@pytest.mark.parametrize("name", sorted(seccomp.REFUSED))
def test_what_no_harness_needs_is_refused(name: str) -> None:
    for program in (RUN, READING):
        assert decide(program, seccomp.REFUSED[name]) == REFUSED


IDENTITIES = {"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid"}


@pytest.mark.parametrize("name", sorted(seccomp.REFUSED))
def test_a_build_may_keep_its_identity_and_nothing_else_of_it(name: str) -> None:
    expected = seccomp.ALLOW if name in IDENTITIES else REFUSED
    assert decide(BUILD, seccomp.REFUSED[name]) == expected


@pytest.mark.parametrize("name", sorted(seccomp.UNKNOWN))
def test_calls_that_hide_their_arguments_look_absent(name: str) -> None:
    for program in FOREIGN:
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
def test_no_new_namespace_is_made_and_no_child_hides_from_the_tracer(flags: int) -> None:
    for program in (RUN, BUILD):
        refused = bool(flags & (seccomp.NAMESPACE_FLAGS | seccomp.CLONE_UNTRACED))
        assert decide(program, seccomp.CLONE, (flags,)) == (REFUSED if refused else seccomp.ALLOW)


@pytest.mark.parametrize(
    ("name", "flags"),
    [("net", 0x40000000), ("uts", 0x04000000), ("cgroup", 0x02000000), ("untraced", 0x00800000)],
)
def test_the_zygote_makes_no_namespace_but_those_of_a_run(name: str, flags: int) -> None:
    of_a_run = 0x10000000 | 0x00020000 | 0x20000000 | 0x08000000  # user, mount, pid, ipc
    # Not without the warden, which allows it once for each job.
    assert decide(ZYGOTE, seccomp.CLONE, (of_a_run | 17,)) == seccomp.TRACE
    assert decide(ZYGOTE, seccomp.CLONE, (17,)) == seccomp.ALLOW
    assert decide(ZYGOTE, seccomp.CLONE, (of_a_run | flags | 17,)) == REFUSED


@given(st.integers(0, 60))
def test_only_local_and_internet_sockets_are_made(family: int) -> None:
    for program in FOREIGN:
        answer = decide(program, seccomp.SOCKET, (family, 1))
        allowed = family in (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
        assert answer == (seccomp.ALLOW if allowed else seccomp.ERRNO | seccomp.EAFNOSUPPORT)
        pair = decide(program, seccomp.SOCKETPAIR, (family, 1))
        assert (pair == seccomp.ALLOW) == (family == 1)


@given(st.sampled_from([2, 10]), st.integers(0, 0xFFFFFFFF), st.integers(0, 300))
def test_internet_sockets_are_tcp_or_udp(family: int, kind: int, protocol: int) -> None:
    answer = decide(RUN, seccomp.SOCKET, (family, kind, protocol))
    assert (answer == seccomp.ALLOW) == (kind & 0xF in (1, 2) and protocol in (0, 6, 17))


def test_every_protocol_of_local_sockets_is_allowed() -> None:
    assert decide(RUN, seccomp.SOCKET, (1, 5, 0)) == seccomp.ALLOW  # SOCK_SEQPACKET


@given(st.integers(0, 0xFFFFFFFF))
def test_shared_memory_without_a_file_is_reported_and_huge_pages_are_refused(flags: int) -> None:
    huge, shared = bool(flags & 0x40000), flags & 0x21 == 0x21
    for program, counted in ((RUN, seccomp.TRACE), (ZYGOTE, seccomp.TRACE), (BUILD, None)):
        answer = decide(program, seccomp.MMAP, (0, 4096, 3, flags))
        if huge or (shared and counted is None):
            assert answer == seccomp.ERRNO | seccomp.ENOMEM
        else:
            assert answer == (counted if shared else seccomp.ALLOW)


@given(st.integers(0, 15), st.integers(0, (1 << 64) - 1))
def test_the_limit_on_core_files_stays_as_it_is_and_may_be_asked(kind: int, new: int) -> None:
    for program in FOREIGN:
        setting = decide(program, seccomp.SETRLIMIT, (kind, new))
        assert setting == (DONE if kind == 4 else seccomp.ALLOW)
        both = decide(program, seccomp.PRLIMIT64, (0, kind, new))
        assert both == (DONE if kind == 4 and new else seccomp.ALLOW)


@pytest.mark.parametrize("program", [RUN, READING, BUILD])
def test_no_filter_of_its_own_and_no_hiding_from_the_tracer(program: bytes) -> None:
    assert decide(program, seccomp.PRCTL, (22,)) == REFUSED  # PR_SET_SECCOMP
    assert decide(program, seccomp.PRCTL, (4, 0)) == DONE  # PR_SET_DUMPABLE
    assert decide(program, seccomp.PRCTL, (15,)) == seccomp.ALLOW  # PR_SET_NAME
    assert decide(program, 317) == REFUSED  # seccomp(2)


@given(st.integers(463, 0x3FFFFFFF))
def test_calls_newer_than_the_tables_do_not_exist(number: int) -> None:
    for program in (*FOREIGN, WARDEN):
        assert decide(program, number) == seccomp.ERRNO | seccomp.ENOSYS


@pytest.mark.parametrize("number", [56, 57, 58, 59, 322, 41, 42, *sorted(seccomp.CHANGES)])
def test_the_tracer_starts_nothing_and_changes_nothing(number: int) -> None:
    assert decide(WARDEN, number) == REFUSED
    assert decide(WARDEN, seccomp.OPENAT, (0, 0, 1)) == REFUSED
    assert decide(WARDEN, seccomp.OPENAT, (0, 0, 0)) == seccomp.ALLOW
    assert decide(WARDEN, 101) == seccomp.ALLOW  # ptrace


@given(st.integers(0, (1 << 64) - 1))
def test_a_datagram_with_a_receiver_is_reported(address: int) -> None:
    answer = decide(RUN, seccomp.SENDTO, (3, 0, 0, 0, address))
    assert answer == (seccomp.TRACE if address else seccomp.ALLOW)


@pytest.mark.parametrize("request_", [seccomp.TIOCSTI, seccomp.TIOCLINUX])
def test_nothing_is_typed_into_a_terminal(request_: int) -> None:
    for program in FOREIGN:
        assert decide(program, seccomp.IOCTL, (0, request_)) == REFUSED
        assert decide(program, seccomp.IOCTL, (0, request_ | 1 << 32)) == REFUSED


@given(st.integers(0, 0xFFFFFFFF).filter(lambda a: a != X86_64), st.integers(0, 500))
def test_other_architectures_are_killed(arch: int, number: int) -> None:
    for program in (*FOREIGN, WARDEN):
        assert decide(program, number, arch=arch) == seccomp.KILL


@given(st.integers(0x40000000, 0x7FFFFFFF))
def test_the_x32_interface_is_killed(number: int) -> None:
    assert decide(RUN, number) == seccomp.KILL
