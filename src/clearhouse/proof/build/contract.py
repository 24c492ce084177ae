"""What a C or C++ harness must keep to for its effect to be laid at the target's door.

Read from the compiler's own representation of the harness, where no macro, alias or odd spelling
hides anything: which functions it refers to and how, what else it puts into its object.  Such a
harness may still reproduce an effect; it cannot show where the effect comes from.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from clearhouse.proof.build.directives import Violation
from clearhouse.proof.build.instructions import Call, parse_call, split_list
from clearhouse.proof.build.ir import Function, Module, Side, handed_out, references

# The mangled name goes on with its parameters' types, which differ between libraries.
_START_THREAD = "_ZNSt6thread15_M_start_threadE"
_FORBIDDEN: dict[str, tuple[str, ...]] = {
    "starts a process": (
        "fork", "vfork", "_Fork", "clone", "execl", "execle", "execlp", "execv", "execve",
        "execveat", "execvp", "execvpe", "fexecve", "posix_spawn", "posix_spawnp", "system",
        "popen", "wordexp", "forkpty", "daemon",
    ),
    "sends or catches signals": (
        "signal", "bsd_signal", "sysv_signal", "__sysv_signal", "ssignal", "sigaction",
        "__sigaction", "sigvec", "sigset", "sigprocmask", "pthread_sigmask", "sigaltstack",
        "sigstack", "sigqueue", "pthread_sigqueue", "sigsuspend", "siginterrupt", "raise",
        "gsignal", "kill", "killpg", "tgkill", "pthread_kill", "alarm", "ualarm", "setitimer",
        "timer_create", "timer_settime", "abort", "fcntl", "fcntl64", "ioctl",
    ),
    "jumps out of the target": (
        "longjmp", "_longjmp", "siglongjmp", "__longjmp_chk", "getcontext", "setcontext",
        "makecontext", "swapcontext",
    ),
    "maps or protects memory": (
        "mmap", "mmap64", "munmap", "mremap", "mprotect", "pkey_mprotect", "madvise", "shmat",
        "brk", "sbrk", "__sbrk", "mlock", "mlockall", "memfd_create",
    ),
    "looks up code": (
        "dlopen", "dlmopen", "dlsym", "dlvsym", "dladdr", "dladdr1", "dlinfo", "dl_iterate_phdr",
        "getauxval", "backtrace", "pthread_getattr_np", "pthread_attr_getstack",
    ),
    "calls the system": (
        "syscall", "ptrace", "prctl", "arch_prctl", "personality", "process_vm_readv",
        "process_vm_writev", "unshare", "setns", "mount", "chroot", "dup", "dup2", "dup3",
    ),
    "changes limits": (
        "setrlimit", "setrlimit64", "__setrlimit", "prlimit", "prlimit64", "ulimit", "nice",
        "setpriority", "mallopt", "pthread_attr_setstack", "pthread_attr_setstacksize",
    ),
    "starts threads": (
        "pthread_create", "thrd_create", _START_THREAD, "aio_read", "aio_read64", "aio_write",
        "aio_write64", "aio_fsync", "aio_fsync64", "lio_listio", "lio_listio64", "mq_notify",
        "getaddrinfo_a",
    ),
    "changes how code runs later": (
        "atexit", "on_exit", "at_quick_exit", "__cxa_at_quick_exit", "pthread_atfork",
        "feenableexcept", "fesetenv", "feupdateenv", "fesetexceptflag", "feraiseexcept",
        "fesetround", "_ZSt13set_terminatePFvvE", "_ZSt15set_new_handlerPFvvE",
        "register_printf_function", "register_printf_specifier", "mcheck", "mtrace",
    ),
}  # fmt: skip
_WHY = {name: what for what, names in _FORBIDDEN.items() for name in names}
_OURS = re.compile(
    r"__(?:asan|ubsan|sanitizer|lsan|msan|tsan|hwasan|sancov|clearhouse|interceptor|interception|"
    r"real|wrap|libc_dlopen|libc_dlsym)_|___interceptor_|_dl_"
)
_INTRINSIC = re.compile(
    r"llvm\.(?:trap|debugtrap|returnaddress|frameaddress|addressofreturnaddress|sponentry|"
    r"eh\.sjlj|eh\.return|eh\.unwind|read_register|read_volatile_register|write_register|"
    r"x86\.|masked\.|localescape|localrecover|init\.trampoline|adjust\.trampoline|thread\.pointer)"
)
# Functions of the C library whose address a harness may hand to the target.
_HANDED_OUT = frozenset(
    {
        "malloc", "calloc", "realloc", "free", "strcmp", "strncmp", "strcasecmp", "memcmp",
        "fread", "fwrite", "fclose", "fgets", "getc", "putc", "fputs", "strlen", "tolower",
        "toupper",
    }
)  # fmt: skip
# Destructors that the compiler registers or throws with, and what it puts into virtual tables.
_MADE_BY_CXX = re.compile(r"_Z\w*D[012]Ev$|__cxa_(?:pure|deleted)_virtual$|__gxx_personality_v0$")
_ALLOCATORS = frozenset({"malloc", "calloc", "realloc", "reallocarray", "aligned_alloc"})
_OWN_LINKAGE = re.compile(
    r"\b(?:internal|private|linkonce_odr|linkonce|weak_odr|available_externally)\b"
)
_ODD_LINKAGE = re.compile(r"\b(?:weak|common|extern_weak)\b")
_LIBRARY = re.compile(r"_Z(?:NK?)?S[tsaiod]|_Z(?:n|d)[wal]")
_CONVENTION = re.compile(r"\b(?:win64cc|x86_\w+cc|\w*regcallcc|vectorcallcc|cc ?\d+|ghccc)\b")
_ALIAS = re.compile(r"(?:[\w()\"]+ )*(?:alias|ifunc) ")
# What stands before a symbol that is taken for something else than it is.
_RETYPED = re.compile(r"\b(?:bitcast|ptrtoint|getelementptr|addrspacecast)\b[^@]*\([^@]*$")
_STARTED = ("_GLOBAL__sub_I_", "_GLOBAL__I_")  # objects of C++ with constructors


def violations(module: Module, target: Collection[str]) -> list[Violation]:
    """Every construct of the harness that could cause or hide an effect by itself.

    ``target`` are the names of the functions and variables that the target defines.
    """
    reader = _Reader(module, target)
    return sorted({*reader.module(), *reader.functions(), *reader.globals()})


class _Reader:
    def __init__(self, module: Module, target: Collection[str]) -> None:
        self._module, self._target = module, target

    def module(self) -> Iterator[Violation]:
        for line in self._module.lines:
            if line.startswith("module asm"):
                yield Violation(0, "contains assembler code")
        for name, rest, _ in self._module.globals:
            if _ALIAS.match(rest):
                yield Violation(0, f"gives {name} another name (alias or ifunc)")
            elif name in ("llvm.global_ctors", "llvm.global_dtors"):
                for started, _at in references(rest):
                    if not started.startswith(_STARTED):
                        yield Violation(0, f"has {started} run by itself (constructor, destructor)")

    # -- functions ---------------------------------------------------------------------------------

    def functions(self) -> Iterator[Violation]:
        handed = handed_out(self._module)
        for function in self._module.functions:
            if function.side is Side.RUNTIME:
                yield from self._library(function)
            if function.side in (Side.TARGET, Side.RUNTIME):
                continue
            if function.side is Side.HARNESS:
                for what in self._head(function):
                    yield Violation(function.line, what)
            calls = set()
            for text in self._module.lines[function.first + 1 : function.last]:
                call = parse_call(text)
                if call is not None:
                    calls.add(call.name)
                line = self._module.line_of(text, function.line)
                for what in self._instruction(text, call):
                    # The compiler ends destructors that nobody can call with a trap.
                    if not (_MADE_BY_CXX.match(function.name) and "trap" in what):
                        yield Violation(line, what)
            if function.name in handed and calls & _ALLOCATORS and _gives_memory(function):
                yield Violation(function.line, "gives the target an allocator of its own")

    def _library(self, function: Function) -> Iterator[Violation]:
        """Templates of the C++ library start threads where they are instantiated."""
        for text in self._module.lines[function.first + 1 : function.last]:
            for name, _at in references(text):
                if name.startswith(_START_THREAD):
                    yield Violation(0, f"{_WHY[_START_THREAD]} (std::thread)")

    def _head(self, function: Function) -> Iterator[str]:
        name = function.name
        if name in self._target:
            yield f"defines {name}, which the target defines too"
        elif _OURS.match(name):
            yield f"defines {name}, a name of the sanitizers or of clearhouse"
        elif _LIBRARY.match(name):
            yield f"defines {name}, a function of the C++ library"
        if _ODD_LINKAGE.search(function.head):
            yield f"defines {name} for other objects to replace (weak)"
        if function.section:
            yield f"puts {name} into a section of its own"
        if _CONVENTION.search(function.head):
            yield f"gives {name} another calling convention"
        words = set(function.attributes.split())
        if "sanitize_address" not in words:
            yield f"takes {name} out of the sanitizer's sight"
        if "naked" in words:
            yield f"writes {name} without a frame (naked)"

    def _instruction(self, text: str, call: Call | None) -> Iterator[str]:
        ours = "!nosanitize" in text  # put there by the compiler's checks
        if call is not None:
            if call.assembly:
                yield "contains assembler code"
            if _CONVENTION.search(call.convention):
                yield "calls by another calling convention"
            if call.name is not None and (call.retyped or self._mistyped(call)):
                yield f"calls {call.name} with other types than it is declared with"
        called = call.name if call is not None else None
        for name, at in references(text):
            direct = name == called
            if direct:
                called = None  # a second time it is an argument
            if not ours:
                yield from self._reference(name, text[:at], direct=direct)
        if ours:
            return
        if " = atomicrmw " in text or " = cmpxchg " in text:
            yield "uses atomic operations"
        if "= inttoptr " in text or "inttoptr (" in text:
            yield "makes a pointer out of a number"
        if text.startswith("  store ") and (changed := _stored_to(text)) in self._target:
            yield f"changes the target's variable {changed}"

    def _mistyped(self, call: Call) -> bool:
        """The same where pointers have no types and a call may have any."""
        declared = self._module.declared.get(call.name or "")
        if declared is None or self._module.typed_pointers or (call.name or "").startswith("llvm."):
            return False
        given = tuple(argument.type for argument in call.arguments)
        if declared[-1:] != ("...",):
            return given != declared
        fixed = declared[:-1]
        return given[: len(fixed)] != fixed or (not fixed and bool(given))

    def _reference(self, name: str, before: str, *, direct: bool) -> Iterator[str]:
        if name.startswith("llvm."):
            if _INTRINSIC.match(name):
                yield f"uses the compiler's {name.removeprefix('llvm.')}"
        elif _OURS.match(name):
            yield f"refers to {name}"
        elif (why := _why(name)) is not None and name not in self._target:
            yield f"{why} ({name})"
        elif direct or name not in self._module.declared or _MADE_BY_CXX.match(name):
            return
        elif name in self._target:
            if not self._module.typed_pointers or _RETYPED.search(before):
                yield f"hands out the target's {name} as something else"
        elif name not in _HANDED_OUT or not self._module.typed_pointers or _RETYPED.search(before):
            yield f"hands out the address of {name}"

    # -- variables ---------------------------------------------------------------------------------

    def globals(self) -> Iterator[Violation]:
        for name, rest, side in self._module.globals:
            if side is not Side.HARNESS or name.startswith("llvm."):
                continue
            if re.match(r"(?:\w+ )*(?:external|extern_weak) ", rest):
                if "extern_weak " in rest:
                    yield Violation(0, f"asks whether there is a {name} (weak)")
                if _OURS.match(name):
                    yield Violation(0, f"refers to {name}")
                continue
            if name in self._target and not _OWN_LINKAGE.search(rest.partition("global")[0]):
                yield Violation(0, f"defines {name}, which the target defines too")
            if ' section "' in rest:
                yield Violation(0, f"puts {name} into a section of its own")
            if name.startswith("_ZT"):
                continue  # virtual tables and type information
            for found, at in references(rest):
                for what in self._reference(found, rest[:at], direct=False):
                    yield Violation(0, what)


def _why(name: str) -> str | None:
    return _WHY.get(_START_THREAD if name.startswith(_START_THREAD) else name)


def _stored_to(text: str) -> str | None:
    """The variable that a store changes, where the instruction names it."""
    named = [name for name, _at in references(split_list(text)[1])]
    return named[0] if named else None


def _gives_memory(function: Function) -> bool:
    return bool(re.search(r"(?:i8\*|\bptr)\s*$", function.head))
