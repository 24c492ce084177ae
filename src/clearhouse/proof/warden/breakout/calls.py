"""Asking the kernel for what nobody in a sandbox needs."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import struct
from collections.abc import Callable

from .attempt import Attempts, Facts, GotThrough, name_of

ATTEMPTS = Attempts("kernel")
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
# Any other error means that the kernel got as far as looking at the arguments.
_REFUSALS = {"EPERM", "EACCES", "ENOSYS"}
_NS_USER, _NS_MOUNT, _NS_NET, _NS_TIME = 0x10000000, 0x20000, 0x40000000, 0x80


def call(name: str, number: int, *args: object) -> int:
    """A system call by its number.  Raises ``OSError`` as the kernel answers."""
    wide = [
        ctypes.c_long(a)
        if isinstance(a, int)
        else ctypes.c_char_p(a)
        if isinstance(a, bytes)
        else a
        for a in args
    ]
    result = int(_libc.syscall(ctypes.c_long(number), *wide))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    if result == 0 and name.startswith("clone"):
        os._exit(0)  # the new process
    return result


def _all_refused(*calls: tuple[object, ...]) -> str:
    seen: dict[str, None] = {}
    for name, number, *args in calls:
        assert isinstance(name, str)
        assert isinstance(number, int)
        try:
            call(name, number, *args)
        except OSError as error:
            code = name_of(error)
            if code not in _REFUSALS:
                raise GotThrough(f"{name} reached the kernel: {code}") from error
            seen[code] = None
        else:
            raise GotThrough(f"{name} was done")
    return ", ".join(seen)


_room = ctypes.create_string_buffer(4096)

# Each with arguments that would do nothing, or nothing that lasts.
_CALLS: dict[str, tuple[tuple[object, ...], ...]] = {
    "mount a file system": (
        ("mount", 165, b"none", b"/tmp", b"tmpfs", 0, b""),
        ("mount", 165, b"/usr", b"/tmp", None, 4096, None),
        ("mount", 165, b"none", b"/usr", None, 32 | 4096, None),
        ("mount", 165, b"none", b"/tmp", b"cgroup2", 0, b""),
        ("mount", 165, b"none", b"/tmp", b"overlay", 0, b"lowerdir=/usr"),
        ("mount", 165, b"/dev/vda", b"/tmp", b"ext4", 0, b""),
    ),
    "unmount, change the root": (
        ("umount2", 166, b"/usr", 2),
        ("umount2", 166, b"/proc", 2),
        ("pivot_root", 155, b".", b"."),
        ("chroot", 161, b"/usr"),
    ),
    "mount through the new interface": (
        ("fsopen", 430, b"tmpfs", 0),
        ("open_tree", 428, -100, b"/usr", 1),
        ("move_mount", 429, -100, b"/usr", -100, b"/tmp", 0),
        ("fsmount", 432, 0, 0, 0),
        ("fsconfig", 431, 0, 0, None, None, 0),
        ("fspick", 433, -100, b"/usr", 0),
        ("mount_setattr", 442, -100, b"/usr", 0, _room, 32),
    ),
    "make a user namespace, with all capabilities in it": (
        ("unshare", 272, _NS_USER),
        ("clone", 56, _NS_USER | 17, 0, 0, 0, 0),
        ("clone", 56, _NS_USER | _NS_MOUNT | 17, 0, 0, 0, 0),
        ("clone3", 435, struct.pack("<11Q", _NS_USER, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88),
    ),
    "make other namespaces, join one": (
        ("unshare", 272, _NS_MOUNT),
        ("unshare", 272, _NS_NET),
        ("unshare", 272, _NS_TIME),
        ("clone", 56, _NS_NET | 17, 0, 0, 0, 0),
        ("setns", 308, 0, 0),
    ),
    "regain capabilities": (
        ("capset", 126, struct.pack("<Ii", 0x20080522, 0), struct.pack("<6I", *[0xFFFFFFFF] * 6)),
    ),
    "load a program into the kernel (bpf)": (
        ("bpf", 321, 0, _room, 72),
        ("bpf", 321, 5, _room, 72),
    ),
    "observe the machine (perf events)": (("perf_event_open", 298, _room, 0, -1, -1, 0),),
    "userfaultfd": (("userfaultfd", 323, 0), ("userfaultfd", 323, 1)),
    "io_uring, whose requests no filter sees": (
        ("io_uring_setup", 425, 8, _room),
        ("io_uring_enter", 426, 0, 0, 0, 0, None, 0),
        ("io_uring_register", 427, 0, 0, None, 0),
    ),
    "load or remove a kernel module": (
        ("init_module", 175, _room, 8, b""),
        ("finit_module", 313, 0, b"", 0),
        ("delete_module", 176, b"none", 2048),
    ),
    "another kernel, restart, swap, accounting": (
        ("kexec_load", 246, 0, 0, None, 0),
        ("kexec_file_load", 320, 0, 0, 0, None, 0),
        ("reboot", 169, 0, 0, 0, None),
        ("swapon", 167, b"/tmp", 0),
        ("swapoff", 168, b"/tmp"),
        ("acct", 163, None),
        ("quotactl", 179, 0x80000100, b"/dev/vda", 0, None),
    ),
    "the kernel's keyring": (
        ("add_key", 248, b"user", b"left", b"x", 1, -4),
        ("request_key", 249, b"user", b"left", None, -4),
        ("keyctl", 250, 0, -4, 1),
        ("keyctl", 250, 6, -3, 0),
    ),
    "the kernel's log": (("syslog", 103, 3, _room, 64),),
    "set the clock": (
        ("settimeofday", 164, struct.pack("<2q", 0, 0), None),
        ("clock_settime", 227, 0, struct.pack("<2q", 0, 0)),
        ("adjtimex", 159, struct.pack("<I204x", 1)),
        ("clock_adjtime", 305, 0, struct.pack("<I204x", 1)),
    ),
    "set the host's name": (
        ("sethostname", 170, b"other", 5),
        ("setdomainname", 171, b"other", 5),
    ),
    "open files by handle, past all folders": (
        ("name_to_handle_at", 303, -100, b"/usr", _room, _room, 0),
        ("open_by_handle_at", 304, 0, _room, 0),
    ),
    "watch and hold up the files of others (fanotify)": (("fanotify_init", 300, 0, 0),),
    "ports of the machine, segments, personality": (
        ("iopl", 172, 3),
        ("ioperm", 173, 0, 8, 1),
        ("modify_ldt", 154, 1, _room, 16),
        ("personality", 135, 0x0040000),
        ("vhangup", 153),
        ("lookup_dcookie", 212, 0, _room, 64),
    ),
    "answer system calls in place of the observer": (
        ("seccomp", 317, 1, 8, _room),
        ("seccomp", 317, 2, 0, _room),
    ),
    "memory that no process is charged for": (
        ("memfd_create", 319, b"x", 0),
        ("memfd_secret", 447, 0),
        ("shmget", 29, 0, 4096, 0o1600),
        ("semget", 64, 0, 1, 0o1600),
        ("msgget", 68, 0, 0o1600),
        ("mq_open", 240, b"/kept", 0o102, 0o600, None),
        ("vmsplice", 278, 1, _room, 0, 0),
        ("io_setup", 206, 65536, _room),
    ),
    "move memory between nodes": (
        ("move_pages", 279, 1, 0, None, None, None, 0),
        ("migrate_pages", 256, 1, 0, None, None),
        ("mbind", 237, 0, 0, 0, None, 0, 0),
    ),
    "system calls newer than the filter": (
        ("setxattrat", 463, -100, b"/usr", 0, b"user.x", _room, 16),
        ("open_tree_attr", 467, -100, b"/usr", 1, None, 0),
        ("next year's", 511),
    ),
}


def _from_table(calls: tuple[tuple[object, ...], ...]) -> Callable[[Facts], str]:
    return lambda _: _all_refused(*calls)


for _name, _calls in _CALLS.items():
    ATTEMPTS(_name)(_from_table(_calls))


@ATTEMPTS("a filter of its own in front of the observer's", "run", "build")
def _own_filter(_: Facts) -> str:
    allow = struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000)
    code = ctypes.create_string_buffer(allow, 8)
    return _all_refused(
        ("prctl", 157, 22, 2, struct.pack("<HxxxxxxQ", 1, ctypes.addressof(code)), 0, 0)
    )


@ATTEMPTS("huge pages, which no process is charged for")
def _huge(_: Facts) -> str:
    try:
        mmap.mmap(-1, 2 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
    except OSError as error:
        return name_of(error)
    raise GotThrough("a huge page was mapped")


def _dies_of(code: Callable[[], object]) -> str:
    child = os.fork()
    if child == 0:
        try:
            code()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise GotThrough("the call was answered")
    return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"


@ATTEMPTS("system calls of 32-bit programs")
def _compatible(_: Facts) -> str:
    # mov eax, 20 (getpid); int 0x80; ret
    room = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
    room.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    function = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(room)))
    return _dies_of(function)


@ATTEMPTS("system calls of the x32 interface")
def _x32(_: Facts) -> str:
    return _dies_of(lambda: _libc.syscall(ctypes.c_long(0x40000000 | 39)))
