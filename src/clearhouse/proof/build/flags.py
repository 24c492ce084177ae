"""Compiler flags: the same for every target, so that verdicts can be compared."""

from __future__ import annotations

from clearhouse.proof.build.toolchain import Toolchain

# A tail call takes its caller off the stack, and with it the name that a verdict is about.
_FOR_STACKS = ("-g", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls")
# Old C that a newer compiler only warned about when it was released still has to compile.
_FOR_OLD_C = (
    "-w",
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=int-conversion",
    "-Wno-error=incompatible-pointer-types",
)
_FOR_OLD_C_CLANG = ("-Wno-error=incompatible-function-pointer-types",)
# A harness that does not know a function's types could hand it a number for a pointer.
_FOR_TYPES = (
    "-Wno-everything",
    "-Werror=implicit-function-declaration",
    "-Werror=int-conversion",
)
# Checks of C++ types that leave traces of their own in what a harness refers to.
_NO_TYPE_CHECKS = ("-fno-sanitize=vptr,function",)
LIBRARIES = ("-lm", "-lpthread", "-ldl")


def sanitizers(*, undefined_behaviour: bool) -> list[str]:
    """AddressSanitizer, and UBSan where asked for, each report of which ends the run."""
    if not undefined_behaviour:
        return ["-fsanitize=address"]
    return ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


def for_target(tools: Toolchain, *, undefined_behaviour: bool) -> list[str]:
    """Flags for the target's own sources."""
    return [
        "-O1", *_FOR_STACKS, "-fPIC", *for_old_c(tools),
        *sanitizers(undefined_behaviour=undefined_behaviour),
    ]  # fmt: skip


def for_old_c(tools: Toolchain) -> list[str]:
    """No warnings, and no errors that once were warnings."""
    return [*_FOR_OLD_C, *(_FOR_OLD_C_CLANG if tools.is_clang else ())]


def for_harness(tools: Toolchain, *, undefined_behaviour: bool) -> list[str]:
    """Flags for the harness: as it is written, and its variables off the stack proper.

    A harness could otherwise reach its callers' frames from the address of a variable.
    """
    apart = ("-fsanitize-address-use-after-return=always",) if _has_fake_stack(tools) else ()
    return [
        "-O0", *_FOR_STACKS[:2], "-fPIC", *_FOR_TYPES, *apart,
        *sanitizers(undefined_behaviour=undefined_behaviour),
        *(_NO_TYPE_CHECKS if tools.is_clang else ()),
    ]  # fmt: skip


def _has_fake_stack(tools: Toolchain) -> bool:
    return tools.is_clang and tools.major >= 14  # clang 14 release notes: the flag is new


def for_driver() -> list[str]:
    """Flags for our own program around the harness: without sanitizers, which it must not trip."""
    return ["-g", "-O1", "-fPIE", "-fno-builtin", "-fno-omit-frame-pointer", "-w"]
