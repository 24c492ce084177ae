"""Python's own reports of what only a cheat needs (PEP 578), kept when the harness caused them.

A second line behind :mod:`guard_python`: the guard looks at what the harness's source does, this at
what the interpreter does, whoever asked for it.  A report is written before the deed is done.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from .homes_python import Homes, Whose
from .paths_python import may_read, may_write, real

#: Reported when nothing but the standard library stands between them and the harness.
_PROBES = frozenset(
    {"ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function",
     "ctypes.cdata", "ctypes.cdata/buffer", "ctypes.string_at", "ctypes.wstring_at",
     "ctypes.addressof", "ctypes.create_string_buffer", "ctypes.create_unicode_buffer",
     "ctypes.set_exception", "ctypes.PyObj_FromPtr", "gc.get_objects", "gc.get_referrers",
     "gc.get_referents", "sys._current_frames", "sys._current_exceptions", "sys.settrace",
     "sys.setprofile", "sys.addaudithook", "sys.excepthook", "sys.unraisablehook", "code.__new__",
     "function.__new__", "marshal.loads", "marshal.load", "marshal.dumps", "pickle.find_class",
     "builtins.input", "builtins.breakpoint", "cpython.run_command", "cpython.run_file",
     "cpython.run_string", "signal.pthread_kill", "os.kill", "os.killpg", "resource.setrlimit", "resource.prlimit", "sqlite3.enable_load_extension",
     "sqlite3.load_extension", "socket.bind", "syslog.openlog", "os.chdir", "os.fchdir", "os.fork",
     "os.forkpty", "pty.spawn", "os.setxattr", "os.removexattr", "os.lockf", "fcntl.fcntl",
     "fcntl.ioctl", "fcntl.flock", "mmap.__new__"}
)  # fmt: skip
#: Reported only when the harness itself does them: the standard library does so for honest reasons.
_DIRECT = frozenset({"sys._getframe", "compile", "exec"})
#: Reported only when no function of ours was asked to do them either: we look at code all the time.
_OWN = frozenset({"object.__getattr__", "object.__setattr__", "object.__delattr__"})
#: Files: which arguments are paths, and whether they are only looked at.
_FILES: dict[str, tuple[int, bool]] = {
    "open": (1, False), "os.listdir": (1, True), "os.scandir": (1, True), "glob.glob": (1, True),
    "os.mkdir": (1, False), "os.remove": (1, False), "os.rmdir": (1, False),
    "os.rename": (2, False), "os.truncate": (1, False), "os.chmod": (1, False),
    "os.chown": (1, False), "os.utime": (1, False), "os.link": (2, False), "os.symlink": (2, False),
}  # fmt: skip
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000  # O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND
_FRAMES = 60


def audit_hook(
    send: Callable[[dict[str, Any]], None], homes: Homes, ours: list[bool]
) -> Callable[[str, tuple[Any, ...]], None]:
    """The hook, closed over everything it needs; ``ours[0]`` is true while we ourselves make code."""
    getframe, of_file = sys._getframe, homes.of_file
    seen: set[tuple[str, str]] = set()
    busy = False  # looking at a frame is itself such an event
    known = _PROBES | _DIRECT | _OWN | set(_FILES)

    def look(event: str, args: tuple[Any, ...]) -> None:
        caller = getframe(2)
        frame, direct = _responsible(caller, of_file)
        if frame is None or (event in _DIRECT and not direct):
            return
        if event in _OWN and frame is not caller:
            return
        what = _file_event(event, args) if event in _FILES else event
        if what is not None and (event, what) not in seen and len(seen) < 40:
            seen.add((event, what))
            send({"tamper": what, "line": frame.f_lineno})

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy or ours[0] or event not in known:
            return
        busy = True
        try:
            look(event, args)
        finally:
            busy = False

    return hook


def _responsible(
    frame: FrameType | None, of_file: Callable[[str], Whose]
) -> tuple[FrameType | None, bool]:
    """The harness's frame that caused an event, and whether it did so itself; None if it did not."""
    direct = True
    for _ in range(_FRAMES):
        if frame is None:
            return None, False
        code = frame.f_code
        file = code.co_filename
        whose = of_file(file)
        if whose is Whose.HARNESS:
            return frame, direct
        if whose in (Whose.TARGET, Whose.DEPENDENCY) or file.startswith("<frozen importlib"):
            return None, False  # its doing, or Python's own way of importing
        if whose is Whose.OBSERVER and code.co_name == "main":
            return None, False
        direct = direct and whose is Whose.OBSERVER
        frame = frame.f_back
    return None, False


def _file_event(event: str, args: tuple[Any, ...]) -> str | None:
    """What a file event of the harness's own does outside its working folder, if anything."""
    count, looks = _FILES[event]
    writes = not looks
    if event == "open":
        mode, flags = args[1], args[2]
        writes = bool(isinstance(flags, int) and flags & _WRITING) or (
            isinstance(mode, str) and any(c in mode for c in "wax+")
        )
    for path in args[:count]:
        if isinstance(path, int) and event == "open":
            return f"opens the descriptor {int(path)}"
        if writes and not may_write(path):
            return f"changes {real(path)} by itself"
        if not writes and not may_read(path):
            return f"reads {real(path)} by itself"
    return None
