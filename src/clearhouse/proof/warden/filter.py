"""Seccomp filters, assembled as classic BPF.

Three answers: refuse with an error number, report to the tracer, allow.  Numbers are those of
x86-64 (``arch/x86/entry/syscalls/syscall_64.tbl``); any other architecture or the x32 interface is
killed, and a call newer than this table does not exist.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache

ALLOW, KILL, ERRNO, TRACE = 0x7FFF0000, 0x80000000, 0x00050000, 0x7FF00000
AUDIT_ARCH_X86_64 = 0xC000003E
EPERM, ENOMEM, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT = 1, 12, 38, 93, 97
DONE = 0  # answered as if it had been done

# What no harness, target or program started by one has any use for.
REFUSED: dict[str, int] = {
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438,
    "kcmp": 312, "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321,
    "perf_event_open": 298, "userfaultfd": 323, "mount": 165, "umount2": 166, "pivot_root": 155,
    "chroot": 161, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
    "fsmount": 432, "fspick": 433, "mount_setattr": 442, "setns": 308, "unshare": 272,
    "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171,
    "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246,
    "kexec_file_load": 320, "acct": 163, "quotactl": 179, "quotactl_fd": 443, "syslog": 103,
    "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "clock_adjtime": 305,
    "iopl": 172, "ioperm": 173, "mknod": 133, "mknodat": 259, "open_by_handle_at": 304,
    "name_to_handle_at": 303, "fanotify_init": 300, "lookup_dcookie": 212, "vhangup": 153,
    "nfsservctl": 180, "uselib": 134, "modify_ldt": 154, "personality": 135, "setuid": 105,
    "setgid": 106, "setreuid": 113, "setregid": 114, "setgroups": 116, "setresuid": 117,
    "setresgid": 119, "setfsuid": 122, "setfsgid": 123, "capset": 126, "ioprio_set": 251,
    "migrate_pages": 256, "move_pages": 279, "mbind": 237, "set_mempolicy": 238,
    # A filter of the run's own could answer in place of ours (seccomp_unotify(2), "continue").
    "seccomp": 317,
}  # fmt: skip

# Answered as if the kernel were older: the C library then takes the older call, which we can read.
UNKNOWN: dict[str, int] = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "clone3": 435,
    "openat2": 437,
    # Memory that belongs to no process and so escapes the limit on resident memory: files and
    # segments without a name, pages lent to a pipe, requests that count against the whole machine.
    "memfd_create": 319, "memfd_secret": 447, "vmsplice": 278, "shmget": 29, "semget": 64,
    "msgget": 68, "mq_open": 240, "io_setup": 206,
}  # fmt: skip
_NEWEST = 462  # mseal, Linux 6.10: the last call that has been looked at for these tables

OPEN, OPENAT, CREAT = 2, 257, 85
CHANGES: dict[int, str] = {
    85: "creat", 87: "unlink", 263: "unlinkat", 82: "rename", 264: "renameat", 316: "renameat2",
    83: "mkdir", 258: "mkdirat", 84: "rmdir", 88: "symlink", 266: "symlinkat", 86: "link",
    265: "linkat", 76: "truncate", 90: "chmod", 268: "fchmodat", 452: "fchmodat2",
}  # fmt: skip
EXECVE, EXECVEAT = 59, 322
CONNECT, SENDTO, SENDMSG, SENDMMSG = 42, 44, 46, 307
CLONE, SOCKET, SOCKETPAIR, IOCTL, MMAP, PRCTL = 56, 41, 53, 16, 9, 157
FORK, VFORK = 57, 58
SETRLIMIT, PRLIMIT64 = 160, 302
NAMESPACE_FLAGS = 0x7E020080  # CLONE_NEW*
_FOREIGN_NAMESPACES = 0x46000080  # CLONE_NEWNET | NEWUTS | NEWCGROUP | NEWTIME: no run gets its own
CLONE_UNTRACED = 0x00800000  # would hide the child from the tracer, and so from the limits
MAP_SHARED_ANONYMOUS, _MAP_HUGETLB = 0x21, 0x40000
_RLIMIT_CORE = 4
_PR_SET_DUMPABLE, _PR_SET_SECCOMP = 4, 22
O_WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY | O_RDWR | O_CREAT | O_TRUNC
TIOCSTI, TIOCLINUX, TIOCSETD = 0x5412, 0x541C, 0x5423
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_SOCK_STREAM, _SOCK_DGRAM, _IPPROTO_TCP, _IPPROTO_UDP = 1, 2, 6, 17
_AND, _JA, _JGT = 0x54, 0x05, 0x25  # BPF_ALU | BPF_AND, BPF_JMP | BPF_JA, BPF_JMP | BPF_JGT
_BLOCK = 12


class _Program:
    """A list of BPF instructions with forward jumps by label."""

    def __init__(self) -> None:
        self._code: list[tuple[int, int | str, int | str, int]] = []
        self._labels: dict[str, int] = {}

    def emit(self, code: int, k: int, jt: int | str = 0, jf: int | str = 0) -> None:
        self._code.append((code, jt, jf, k))

    def load(self, offset: int) -> None:
        self.emit(0x20, offset)  # BPF_LD | BPF_W | BPF_ABS

    def equal(self, value: int, then: int | str, otherwise: int | str = 0) -> None:
        self.emit(0x15, value, then, otherwise)  # BPF_JMP | BPF_JEQ

    def has_bits(self, mask: int, then: int | str, otherwise: int | str = 0) -> None:
        self.emit(0x45, mask, then, otherwise)  # BPF_JMP | BPF_JSET

    def answer(self, action: int) -> None:
        self.emit(0x06, action)  # BPF_RET

    def label(self, name: str) -> None:
        self._labels[name] = len(self._code)

    def assemble(self) -> bytes:
        out = bytearray()
        for position, (code, jt, jf, k) in enumerate(self._code):
            targets = []
            for jump in (jt, jf):
                distance = self._labels[jump] - position - 1 if isinstance(jump, str) else jump
                if not 0 <= distance < 256:
                    raise ValueError(f"BPF jump of {distance} instructions")
                targets.append(distance)
            out += struct.pack("<HBBI", code, targets[0], targets[1], k)
        return bytes(out)


def _argument(index: int) -> int:
    return 16 + 8 * index  # offsetof(struct seccomp_data, args[index]), low half


def _prologue(program: _Program) -> None:
    program.load(4)
    program.equal(AUDIT_ARCH_X86_64, 1)
    program.answer(KILL)
    program.load(0)
    program.emit(0x35, 0x40000000, 0, 1)  # the x32 interface: BPF_JGE
    program.answer(KILL)
    program.emit(_JGT, _NEWEST, 0, 1)
    program.answer(ERRNO | ENOSYS)


def _answer_for(program: _Program, numbers: Iterable[int], action: int) -> None:
    """Answer each of these calls alike.

    In blocks, each passed over in one step by numbers above it: the kernel runs a new filter once
    for every call there is, which a plain chain would make dear (seccomp_cache_prepare).
    """
    ordered = sorted(numbers)
    for first in range(0, len(ordered), _BLOCK):
        block = ordered[first : first + _BLOCK]
        program.emit(_JGT, block[-1], len(block) + 2)
        for place, number in enumerate(block):
            program.equal(number, len(block) - place, 0)
        program.emit(_JA, 1)
        program.answer(action)


def zygote_filter() -> bytes:
    """For the process that imports the target: all refusals but those that starting a run needs."""
    program = _Program()
    _prologue(program)
    needed = {"mount", "umount2", "pivot_root", "setresuid", "setresgid", "setgroups", "capset"}
    _answer_for(program, (n for k, n in REFUSED.items() if k not in needed), ERRNO | EPERM)
    _answer_for(program, UNKNOWN.values(), ERRNO | ENOSYS)
    _refuse_terminal_injection(program)
    _flags(program, CLONE, 0, _FOREIGN_NAMESPACES | CLONE_UNTRACED, ERRNO | EPERM)
    _flags(program, CLONE, 0, NAMESPACE_FLAGS, TRACE)  # allowed once for each job
    _refuse_core_limit(program)
    _refuse_sockets(program)
    _mappings(program, TRACE)
    program.answer(ALLOW)
    return program.assemble()


@cache
def run_filter(*, reads: bool) -> bytes:
    """For a run: refusals, and everything that changes the outside is reported to the tracer.

    ``reads`` also reports opening for reading (needed where the effect is ``read-outside``).
    """
    program = _Program()
    _prologue(program)
    _answer_for(program, REFUSED.values(), ERRNO | EPERM)
    _answer_for(program, UNKNOWN.values(), ERRNO | ENOSYS)
    _answer_for(program, (*CHANGES, EXECVE, EXECVEAT, CONNECT), TRACE)
    _opens(program, reads)
    _refuse_terminal_injection(program)
    _flags(program, CLONE, 0, NAMESPACE_FLAGS | CLONE_UNTRACED, ERRNO | EPERM)
    _refuse_core_limit(program)
    _refuse_control(program)
    _refuse_sockets(program)
    _mappings(program, TRACE)
    _sends(program)
    program.answer(ALLOW)
    return program.assemble()


def build_filter() -> bytes:
    """For compilers and build commands: refusals, and nothing is traced.

    Setting identities is let through: make has its children set theirs to what they are
    (``posix_spawn`` with ``POSIX_SPAWN_RESETIDS``), and without capabilities nothing else works.
    """
    program = _Program()
    _prologue(program)
    _building(program)
    return program.assemble()


def _building(program: _Program) -> None:
    identities = {"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid"}
    refused = (number for name, number in REFUSED.items() if name not in identities)
    _answer_for(program, refused, ERRNO | EPERM)
    _answer_for(program, UNKNOWN.values(), ERRNO | ENOSYS)
    _refuse_terminal_injection(program)
    _flags(program, CLONE, 0, NAMESPACE_FLAGS | CLONE_UNTRACED, ERRNO | EPERM)
    _refuse_core_limit(program)
    _refuse_control(program)
    _refuse_sockets(program)
    _mappings(program, ERRNO | ENOMEM)
    program.answer(ALLOW)


@cache
def room_filter() -> bytes:
    """For what an agent starts: as for building, and nobody sets the limits of process 1.

    Tracing is refused to it as well: a process may choose its parent as its tracer, and the first
    one's parent is the steward.
    """
    program = _Program()
    _prologue(program)
    program.equal(PRLIMIT64, 0, 4)
    program.load(_argument(0))
    program.equal(1, 0, 1)
    program.answer(ERRNO | EPERM)
    program.load(0)
    _building(program)
    return program.assemble()


def steward_filter() -> bytes:
    """For the steward, who looks files up for the engine; what it starts gets the other on top."""
    program = _Program()
    _prologue(program)
    _answer_for(program, REFUSED.values(), ERRNO | EPERM)
    unknown = (number for name, number in UNKNOWN.items() if name != "openat2")
    _answer_for(program, unknown, ERRNO | ENOSYS)
    _flags(program, CLONE, 0, NAMESPACE_FLAGS | CLONE_UNTRACED, ERRNO | EPERM)
    program.answer(ALLOW)
    return program.assemble()


def warden_filter() -> bytes:
    """For the tracer, which starts nothing, changes nothing and connects to nothing."""
    program = _Program()
    _prologue(program)
    needed = {"ptrace"}
    _answer_for(program, (n for k, n in REFUSED.items() if k not in needed), ERRNO | EPERM)
    needed = {"openat2", "memfd_create"}
    _answer_for(program, (n for k, n in UNKNOWN.items() if k not in needed), ERRNO | ENOSYS)
    others = (*CHANGES, EXECVE, EXECVEAT, CONNECT, CLONE, FORK, VFORK, SOCKET)
    _answer_for(program, others, ERRNO | EPERM)
    for number, flags in ((OPEN, 1), (OPENAT, 2)):
        _flags(program, number, flags, O_WRITING, ERRNO | EPERM)
    program.answer(ALLOW)
    return program.assemble()


def _opens(program: _Program, reads: bool) -> None:
    if reads:
        _answer_for(program, (OPEN, OPENAT), TRACE)
        return
    for number, flags in ((OPEN, 1), (OPENAT, 2)):
        _flags(program, number, flags, O_WRITING, TRACE)


def _refuse_terminal_injection(program: _Program) -> None:
    program.equal(IOCTL, 0, 6)
    program.load(_argument(1))
    program.equal(TIOCSTI, 2)
    program.equal(TIOCLINUX, 1)
    program.equal(TIOCSETD, 0, 1)
    program.answer(ERRNO | EPERM)
    program.answer(ALLOW)


def _flags(program: _Program, number: int, argument: int, flags: int, answer: int) -> None:
    """Answer a call when any of these bits is set in an argument; if not, go on."""
    program.equal(number, 0, 4)
    program.load(_argument(argument))
    program.has_bits(flags, 0, 1)
    program.answer(answer)
    program.load(0)


def _refuse_core_limit(program: _Program) -> None:
    # At a limit of 1 the kernel starts no core handler; at 0 it does where it is a program.
    program.equal(SETRLIMIT, 0, 4)
    program.load(_argument(0))
    program.equal(_RLIMIT_CORE, 0, 1)
    program.answer(ERRNO | DONE)
    program.answer(ALLOW)
    program.equal(PRLIMIT64, 0, 8)
    program.load(_argument(1))
    program.equal(_RLIMIT_CORE, 0, 5)
    program.load(_argument(2))
    program.equal(0, 0, 2)
    program.load(_argument(2) + 4)
    program.equal(0, 1)  # only asks what the limit is
    program.answer(ERRNO | DONE)
    program.answer(ALLOW)


def _refuse_control(program: _Program) -> None:
    program.equal(PRCTL, 0, 6)
    program.load(_argument(0))
    program.equal(_PR_SET_SECCOMP, 0, 1)
    program.answer(ERRNO | EPERM)
    program.equal(_PR_SET_DUMPABLE, 0, 1)
    program.answer(ERRNO | DONE)  # the tracer must be able to look
    program.answer(ALLOW)


def _refuse_sockets(program: _Program) -> None:
    """Local and internet sockets only: others make the kernel load modules."""
    program.equal(SOCKETPAIR, 0, 4)
    program.load(_argument(0))
    program.equal(_AF_UNIX, 1)
    program.answer(ERRNO | EAFNOSUPPORT)
    program.answer(ALLOW)
    program.equal(SOCKET, 0, "not a socket")
    program.load(_argument(0))
    program.equal(_AF_UNIX, "local")
    program.equal(_AF_INET, "internet")
    program.equal(_AF_INET6, "internet")
    program.answer(ERRNO | EAFNOSUPPORT)
    program.label("internet")
    program.load(_argument(1))
    program.emit(_AND, 0xF)  # without SOCK_NONBLOCK and SOCK_CLOEXEC
    program.equal(_SOCK_STREAM, "transport")
    program.equal(_SOCK_DGRAM, "transport")
    program.answer(ERRNO | EPERM)
    program.label("transport")
    program.load(_argument(2))
    for protocol in (0, _IPPROTO_TCP, _IPPROTO_UDP):
        program.equal(protocol, "local")
    program.answer(ERRNO | EPROTONOSUPPORT)
    program.label("local")
    program.answer(ALLOW)
    program.label("not a socket")


def _mappings(program: _Program, shared: int) -> None:
    """Huge pages count as nobody's, shared memory without a file while it is in a page table."""
    program.equal(MMAP, 0, 7)
    program.load(_argument(3))
    program.has_bits(_MAP_HUGETLB, 0, 1)
    program.answer(ERRNO | ENOMEM)
    program.emit(_AND, MAP_SHARED_ANONYMOUS)
    program.equal(MAP_SHARED_ANONYMOUS, 0, 1)
    program.answer(shared)
    program.answer(ALLOW)


def _sends(program: _Program) -> None:
    # A datagram names its receiver in the call: sendto with an address, sendmsg in a structure.
    program.equal(SENDTO, 0, 6)
    program.load(_argument(4))
    program.equal(0, 0, 2)
    program.load(_argument(4) + 4)
    program.equal(0, 1)
    program.answer(TRACE)
    program.answer(ALLOW)
    _answer_for(program, (SENDMSG, SENDMMSG), TRACE)
