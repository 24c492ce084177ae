"""Linux system calls that the standard library has no name for, through ctypes (x86-64 only)."""

from __future__ import annotations

import ctypes
import os
import struct
from typing import NamedTuple

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long
_libc.malloc_trim.argtypes = [ctypes.c_size_t]
_libc.syscall.restype = ctypes.c_long

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_NEWCGROUP = 0x02000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
PR_SET_NAME, PR_SET_KEEPCAPS = 15, 8
CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SYS_PTRACE = 2, 5, 19

PTRACE_POKEUSER = 6
PTRACE_GETREGS = 12
PTRACE_SETREGS = 13
PTRACE_CONT = 7
PTRACE_SYSCALL = 24
PTRACE_GETEVENTMSG = 0x4201
PTRACE_GETSIGINFO = 0x4202
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_LISTEN = 0x4208
PTRACE_O_TRACESYSGOOD = 0x1
PTRACE_O_TRACEFORK = 0x2
PTRACE_O_TRACEVFORK = 0x4
PTRACE_O_TRACECLONE = 0x8
PTRACE_O_TRACEEXEC = 0x10
PTRACE_O_TRACEEXIT = 0x40
PTRACE_O_TRACESECCOMP = 0x80
PTRACE_O_EXITKILL = 0x00100000
#: What a tracer is told of, and that whoever it traces dies with it.
PTRACE_OPTIONS = (
    PTRACE_O_TRACESYSGOOD
    | PTRACE_O_TRACEFORK
    | PTRACE_O_TRACEVFORK
    | PTRACE_O_TRACECLONE
    | PTRACE_O_TRACEEXEC
    | PTRACE_O_TRACEEXIT
    | PTRACE_O_TRACESECCOMP
    | PTRACE_O_EXITKILL
)
EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_SECCOMP, EVENT_STOP = 1, 2, 3, 4, 7, 128

SYS_CLONE = 56

_REGISTERS = [
    "r15",
    "r14",
    "r13",
    "r12",
    "rbp",
    "rbx",
    "r11",
    "r10",
    "r9",
    "r8",
    "rax",
    "rcx",
    "rdx",
    "rsi",
    "rdi",
    "orig_rax",
    "rip",
    "cs",
    "eflags",
    "rsp",
    "ss",
    "fs_base",
    "gs_base",
    "ds",
    "es",
    "fs",
    "gs",
]


class Registers(NamedTuple):
    """The registers of a stopped thread that matter to us: call number, arguments, result."""

    number: int
    args: tuple[int, int, int, int, int, int]
    result: int
    instruction: int
    stack: int
    frame: int


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def clone(flags: int) -> int:
    """Fork into new namespaces (``clone(2)`` with a copied stack); 0 in the child."""
    return _check(
        _libc.syscall(
            ctypes.c_long(SYS_CLONE),
            ctypes.c_ulong(flags | 17),  # SIGCHLD
            ctypes.c_void_p(0),
            ctypes.c_void_p(0),
            ctypes.c_void_p(0),
            ctypes.c_void_p(0),
        ),
        "clone",
    )


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """``mount(2)``."""
    _check(
        _libc.mount(
            source.encode(),
            target.encode(),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            data.encode() if data else None,
        ),
        f"mount {target}",
    )


def prctl(option: int, *args: int) -> int:
    """``prctl(2)`` with integer arguments."""
    padded = [ctypes.c_ulong(a) for a in args] + [ctypes.c_ulong(0)] * (4 - len(args))
    return _check(_libc.prctl(ctypes.c_int(option), *padded), "prctl")


def drop_bounding_set() -> None:
    """Rule out that a program to be executed brings capabilities; needs ``CAP_SETPCAP`` itself."""
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            break


def drop_capabilities(keep: tuple[int, ...] = ()) -> None:
    """Give up every other capability of this process and of whatever it may execute, for good."""
    drop_bounding_set()
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    mask = sum(1 << capability for capability in keep)
    header = ctypes.create_string_buffer(struct.pack("<Ii", 0x20080522, 0))
    data = ctypes.create_string_buffer(struct.pack("<6I", mask, mask, 0, 0, 0, 0))
    _check(_libc.capset(header, data), "capset")


def install_filter(program: bytes) -> None:
    """Install a seccomp filter (array of ``sock_filter``); needs ``no_new_privs``."""
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(
        struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    )
    _check(
        _libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), header, 0, 0), "seccomp"
    )


def ptrace(request: int, tid: int, address: int = 0, data: int = 0) -> None:
    """``ptrace(2)`` for the requests that return nothing."""
    _check(_libc.ptrace(request, tid, address, data), f"ptrace {request:#x}")


def refuse(tid: int) -> None:
    """Have a thread that is stopped at a system call not make it, and see EPERM."""
    ptrace(PTRACE_POKEUSER, tid, 8 * _REGISTERS.index("orig_rax"), (1 << 64) - 1)
    ptrace(PTRACE_POKEUSER, tid, 8 * _REGISTERS.index("rax"), (1 << 64) - 1)


def event_message(tid: int) -> int:
    """The number that a ptrace event carries (the new process, for forks)."""
    value = ctypes.c_ulong(0)
    _check(_libc.ptrace(PTRACE_GETEVENTMSG, tid, None, ctypes.addressof(value)), "geteventmsg")
    return value.value


def signal_info(tid: int) -> tuple[int, int, int]:
    """``(si_code, si_pid, si_addr)`` of the signal that a stopped thread is about to receive."""
    buffer = ctypes.create_string_buffer(128)
    _check(_libc.ptrace(PTRACE_GETSIGINFO, tid, None, ctypes.addressof(buffer)), "getsiginfo")
    _, _, code = struct.unpack_from("<iii", buffer.raw, 0)
    pid = struct.unpack_from("<i", buffer.raw, 16)[0]
    address = struct.unpack_from("<Q", buffer.raw, 16)[0]
    return code, pid, address


def raw_registers(tid: int) -> bytes:
    """The ``user_regs_struct`` of a stopped thread."""
    buffer = ctypes.create_string_buffer(8 * len(_REGISTERS))
    _check(_libc.ptrace(PTRACE_GETREGS, tid, None, ctypes.addressof(buffer)), "getregs")
    return buffer.raw


def set_raw_registers(tid: int, raw: bytes) -> None:
    """Set a stopped thread's registers."""
    buffer = ctypes.create_string_buffer(raw, len(raw))
    _check(_libc.ptrace(PTRACE_SETREGS, tid, None, ctypes.addressof(buffer)), "setregs")


def registers(tid: int) -> Registers:
    """Read the registers of a stopped thread."""
    buffer = ctypes.create_string_buffer(8 * len(_REGISTERS))
    _check(_libc.ptrace(PTRACE_GETREGS, tid, None, ctypes.addressof(buffer)), "getregs")
    values = dict(zip(_REGISTERS, struct.unpack("<27Q", buffer.raw), strict=True))
    return Registers(
        number=values["orig_rax"],
        args=(
            values["rdi"], values["rsi"], values["rdx"], values["r10"], values["r8"], values["r9"],
        ),
        result=struct.unpack("<q", struct.pack("<Q", values["rax"]))[0],
        instruction=values["rip"],
        stack=values["rsp"],
        frame=values["rbp"],
    )  # fmt: skip


def cpu_clock(pid: int) -> int:
    """The clock id of another process's processor time (``clock_getcpuclockid(3)``)."""
    return (~pid << 3) | 2


def thread_cpu_clock(tid: int) -> int:
    """The clock id of another thread's processor time (``pthread_getcpuclockid(3)``)."""
    return (~tid << 3) | 6


def give_back_memory() -> None:
    """Return to the kernel what the process holds but does not use (malloc_trim(3), glibc)."""
    _libc.malloc_trim(0)


def libc() -> ctypes.CDLL:
    """The C library, for the few calls that need no wrapper of their own."""
    return _libc
