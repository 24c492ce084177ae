"""What a Python harness may import, name and call: the tables behind its contract.

A harness makes an argument out of bytes and calls the target with it.  These tables say what that
takes, module by module; what is not in them is refused, with the reason where one is known.  They
are read twice: against the harness's source (:mod:`contract_python`) and, because a name can be come
by in many ways, against the objects that it calls while it runs (:mod:`guard_python`).
"""

from __future__ import annotations

import sys
from typing import NamedTuple


class Rule(NamedTuple):
    """What of a module may be used: only some names, or all but some."""

    only: frozenset[str] | None = None
    but: frozenset[str] = frozenset()

    def allows(self, qualname: str) -> bool:
        """Whether ``name`` or ``Class.method`` may be used."""
        parts = qualname.split(".")
        if self.only is not None and parts[0] not in self.only and qualname not in self.only:
            return False
        return self.but.isdisjoint(parts)


def _all(*but: str) -> Rule:
    return Rule(but=frozenset(but))


def _only(*names: str) -> Rule:
    return Rule(only=frozenset(names))


#: Modules of the standard library, longest name first wins.  All others are refused.
MODULES: dict[str, Rule] = {
    **dict.fromkeys(
        ("__future__", "abc", "array", "atheris", "base64", "binascii", "bisect", "bz2", "calendar",
         "cmath", "collections", "colorsys", "configparser", "copy", "datetime", "difflib", "email",
         "encodings", "enum", "errno", "fnmatch", "fractions", "glob", "gzip", "hashlib", "heapq",
         "hmac", "html", "http", "http.client", "http.cookiejar", "http.cookies", "io", "ipaddress",
         "json", "keyword", "lzma", "math", "numbers", "os.path", "pathlib", "plistlib", "pprint",
         "queue", "quopri", "re", "secrets", "shlex", "stat", "statistics", "stringprep", "struct",
         "tarfile", "tempfile", "textwrap", "token", "tomllib", "unicodedata", "urllib.error",
         "urllib.parse", "urllib.response", "uuid", "xml", "zipfile", "zlib", "wsgiref.headers"),
        _all(),
    ),
    "abc": _all("register", "update_abstractmethods"),
    "ast": _only("literal_eval", "parse", "dump", "walk", "AST"),
    "asyncio": _all(
        "add_reader", "add_signal_handler", "add_writer", "cancel", "connect_accepted_socket",
        "connect_read_pipe", "connect_write_pipe", "create_connection", "create_datagram_endpoint",
        "create_server", "create_subprocess_exec", "create_subprocess_shell", "create_unix_server",
        "create_unix_connection", "open_connection", "open_unix_connection", "run_in_executor",
        "sendfile", "set_child_watcher", "set_debug", "set_default_executor", "set_event_loop_policy",
        "set_exception", "set_exception_handler", "set_task_factory", "start_server",
        "start_unix_server", "subprocess_exec", "subprocess_shell", "to_thread",
    ),
    "codecs": _all("register", "register_error", "unregister"),
    "collections.abc": _all("register"),
    "contextlib": _all("redirect_stdin", "_RedirectStream"),
    "csv": _all("field_size_limit", "register_dialect", "unregister_dialect"),
    "dataclasses": _all("make_dataclass"),
    "decimal": _all(
        "getcontext", "setcontext", "localcontext", "DefaultContext", "BasicContext",
        "ExtendedContext",
    ),
    "functools": _all("update_wrapper", "wraps", "total_ordering", "singledispatch",
                      "singledispatchmethod", "partialmethod"),
    "http": _all("server"),
    "itertools": _all("count", "cycle", "repeat"),
    "logging": _only(
        "disable", "getLogger", "basicConfig", "NullHandler", "getLevelName", "root",
        "CRITICAL", "FATAL", "ERROR", "WARNING", "WARN", "INFO", "DEBUG", "NOTSET",
        "Logger.setLevel", "Logger.debug", "Logger.info", "Logger.warning", "Logger.error",
        "Logger.exception", "Logger.critical", "Logger.log", "Logger.isEnabledFor",
        "Logger.getEffectiveLevel", "Logger.getChild", "RootLogger.setLevel",
        "debug", "info", "warning", "error", "critical", "log",
    ),
    "mimetypes": _only("guess_type", "guess_extension", "guess_all_extensions"),
    "operator": _all(
        "attrgetter", "methodcaller", "setitem", "delitem", "call", "iadd", "iand", "iconcat",
        "ifloordiv", "ilshift", "imatmul", "imod", "imul", "ior", "ipow", "irshift", "isub",
        "itruediv", "ixor",
    ),
    "os": _only(
        "path", "makedirs", "mkdir", "listdir", "remove", "sep", "getcwd", "urandom", "linesep",
        "fspath", "fsencode", "fsdecode", "rmdir", "scandir", "stat", "lstat", "walk", "PathLike",
        "pathsep", "unlink", "curdir", "pardir", "name", "SEEK_SET", "SEEK_END", "SEEK_CUR",
        "extsep", "removedirs", "access", "F_OK", "R_OK", "W_OK", "X_OK", "environ", "getenv",
        "devnull", "DirEntry", "ScandirIterator", "stat_result", "_Environ", "error", "altsep",
    ),
    "random": _all("seed", "setstate"),
    "shutil": _only("rmtree", "copy", "copyfile", "copytree", "copyfileobj", "move", "make_archive",
                    "Error", "_make_tarball", "_make_zipfile"),
    "sqlite3": _all(
        "enable_load_extension", "load_extension", "register_adapter", "register_converter",
        "enable_callback_tracebacks", "set_authorizer", "set_progress_handler",
        "set_trace_callback", "setlimit", "enable_shared_cache",
    ),
    "string": _all("Formatter"),
    "sys": _only("argv", "byteorder", "maxsize", "maxunicode", "float_info", "version_info", "exit",
                 "stdout", "stderr", "platform"),
    "time": _all("tzset", "clock_settime", "clock_settime_ns"),
    "traceback": _only("print_exc", "format_exc"),
    "types": _only("SimpleNamespace", "MappingProxyType", "NoneType"),
    "typing": _all("get_type_hints", "ForwardRef", "no_type_check", "no_type_check_decorator",
                   "final", "runtime_checkable", "evaluate_forward_ref"),
    "urllib": _only("parse", "error", "response", "request"),
    "urllib.request": _only("Request", "quote", "unquote", "pathname2url", "url2pathname"),
    "warnings": _only("filterwarnings", "simplefilter", "catch_warnings"),
    "zoneinfo": _all("reset_tzpath", "TZPATH"),
}  # fmt: skip

#: Why a module is refused, where that can be said in a few words.
REASONS: dict[str, str] = {
    "ctypes": "calls machine code", "cffi": "calls machine code", "_cffi_backend": "calls machine code",
    "gc": "reaches other objects", "inspect": "reads frames", "builtins": "changes the interpreter",
    "importlib": "replaces modules", "imp": "replaces modules", "pkgutil": "replaces modules",
    "pkg_resources": "asks for versions", "importlib_metadata": "asks for versions",
    "runpy": "replaces modules", "zipimport": "replaces modules", "pickle": "calls what data names",
    "shelve": "calls what data names", "copyreg": "calls what data names", "dill": "calls what data names",
    "cloudpickle": "calls what data names", "marshal": "makes code", "code": "makes code",
    "codeop": "makes code", "bytecode": "makes code", "timeit": "makes code", "doctest": "makes code",
    "dis": "reads code", "opcode": "reads code", "symtable": "makes code", "trace": "traces",
    "bdb": "traces", "pdb": "traces", "cProfile": "traces", "profile": "traces",
    "faulthandler": "acts on the observer", "signal": "interrupts the target",
    "resource": "changes limits", "mmap": "maps memory", "fcntl": "changes descriptors",
    "multiprocessing": "starts processes", "subprocess": "starts processes",
    "concurrent": "starts threads", "threading": "starts threads", "greenlet": "switches stacks",
    "gevent": "switches stacks", "pty": "starts processes", "sh": "starts processes",
    "pexpect": "starts processes", "plumbum": "starts processes", "invoke": "starts processes",
    "platform": "asks which machine it is", "unittest": "patches", "mock": "patches",
    "pytest": "patches", "wrapt": "patches", "forbiddenfruit": "patches", "gorilla": "patches",
    "weakref": "runs code later", "atexit": "runs code later", "sched": "runs code later",
    "tracemalloc": "acts on the observer", "posix": "calls the system", "sysconfig": "asks for paths",
    "site": "changes the interpreter", "ensurepip": "installs", "pip": "installs", "venv": "installs",
    "webbrowser": "starts processes", "linecache": "reads code", "socket": "opens connections",
    "socketserver": "opens connections", "ssl": "opens connections", "ftplib": "opens connections",
    "smtplib": "opens connections", "psutil": "acts on processes", "locale": "changes the interpreter",
    "_thread": "starts threads", "_ctypes": "calls machine code", "test": "acts on the interpreter",
}  # fmt: skip

#: Where objects of an allowed module really live.
_ALIASES = {
    "posixpath": "os.path", "ntpath": "os.path", "genericpath": "os.path", "posix": "os",
    "_collections_abc": "collections.abc", "_markupbase": "html", "_compression": "gzip",
    "_strptime": "datetime", "_pydecimal": "decimal", "_pydatetime": "datetime", "sre_parse": "re",
    "sre_compile": "re", "sre_constants": "re", "_sre": "re", "pyexpat": "xml",
    "_elementtree": "xml", "_md5": "hashlib", "_sha1": "hashlib", "_sha2": "hashlib",
    "_sha256": "hashlib", "_sha512": "hashlib", "_sha3": "hashlib", "_blake2": "hashlib",
    "_hashlib": "hashlib", "_pyio": "io", "_abc": "abc", "_bz2": "bz2", "_lzma": "lzma",
    "_opcode": "opcode", "_contextvars": "contextvars", "_bootlocale": "locale",
}  # fmt: skip

#: Functions of ``builtins`` that no harness needs.
FORBIDDEN_BUILTINS = frozenset(
    {"exec", "eval", "compile", "__import__", "globals", "locals", "vars", "setattr", "delattr",
     "breakpoint", "input", "memoryview", "exit", "quit", "dir", "BaseExceptionGroup",
     "ExceptionGroup", "help", "__build_class__"}
)  # fmt: skip
#: Functions of ``builtins`` that may be called, but not be handed about under another name.
ONLY_CALLED = frozenset({"getattr", "open", "iter", "type", "hasattr"})

#: Special names that ordinary classes and calls use.
DUNDERS = frozenset(
    {"__init__", "__name__", "__main__", "__enter__", "__exit__", "__iter__", "__next__", "__len__",
     "__getitem__", "__contains__", "__eq__", "__hash__", "__str__", "__repr__", "__call__",
     "__future__", "__aenter__", "__aexit__", "__aiter__", "__anext__", "__post_init__", "__lt__",
     "__bytes__", "__slots__", "__setitem__"}
)  # fmt: skip
#: Attributes that lead from an object to frames, code or another object's inside.
INSIDES = frozenset(
    {"tb_frame", "tb_next", "tb_lasti", "tb_lineno", "f_back", "f_globals", "f_locals",
     "f_builtins", "f_code", "f_lineno", "f_trace", "gi_frame", "gi_code", "gi_yieldfrom",
     "cr_frame", "cr_code", "cr_await", "cr_origin", "ag_frame", "ag_code", "ag_await", "co_code",
     "co_consts", "co_names", "co_filename", "with_traceback", "throw", "athrow", "mro",
     "func_globals", "func_code", "cell_contents", "get_field"}
)  # fmt: skip
#: What a module or a class says about its version.
VERSION_NAMES = frozenset(
    {"version", "get_version", "version_info", "hexversion", "__version__", "version_tuple",
     "versioninfo", "revision", "release", "build", "commit", "_version", "ver", "full_version",
     "short_version", "version_string", "__author__", "__date__", "__release__", "__all__"}
)  # fmt: skip


def public_module(real: str) -> str:
    """The public name of the module that an object says it comes from."""
    top = real.partition(".")[0]
    if real in _ALIASES:
        return _ALIASES[real]
    if top in _ALIASES:
        return _ALIASES[top] + real[len(top) :]
    if top.startswith("_") and top.strip("_") in MODULES and top not in REASONS:
        return top.strip("_") + real[len(top) :]
    return real


def is_standard(module: str) -> bool:
    """Whether a module belongs to the interpreter rather than to an installed package."""
    return module.partition(".")[0] in sys.stdlib_module_names


def _nearest(module: str) -> tuple[Rule, str] | None:
    """The rule of a module or of the nearest one above it, and what lies between the two."""
    name = module
    while name:
        if name in MODULES:
            return MODULES[name], module[len(name) + 1 :]
        name = name.rpartition(".")[0]
    return None


def module_allowed(module: str) -> bool:
    """Whether a module of the standard library may be imported."""
    if module.startswith("_") and module != "__future__":
        return False
    found = _nearest(module)
    return found is not None and (not found[1] or found[0].allows(found[1]))


def allows(module: str, qualname: str) -> bool:
    """Whether ``qualname`` of a module of the standard library may be used by a harness."""
    if module == "builtins":
        return qualname.partition(".")[0] not in FORBIDDEN_BUILTINS
    public = public_module(module)
    if f"{public}.{qualname}" in MODULES:
        return True
    found = _nearest(public)
    if found is None:
        return False
    rule, between = found
    if between and rule.only is not None:
        return rule.allows(between)
    return rule.allows(f"{between}.{qualname}" if between else qualname)


def why_not(module: str) -> str:
    """Why a module is refused, as the end of the sentence "imports X, which ..."."""
    top = module.partition(".")[0]
    for name in (top, public_module(top)):
        if name in REASONS:
            return REASONS[name]
    return "a harness does not need"
