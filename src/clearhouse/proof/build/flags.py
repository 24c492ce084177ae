"""Compiler flags: the same for every target, so that verdicts can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
# Undefined by the standards' letter, harmless on every machine there is, and all over old code;
# OSS-Fuzz leaves these out as well (its base-builder, SANITIZER_FLAGS_undefined).
_TOO_COMMON = ("alignment", "pointer-overflow", "nonnull-attribute", "float-cast-overflow")
# Which checks a handler of UBSan's runtime stands for (clang, "UndefinedBehaviorSanitizer").
CHECKS_OF = {
    "add-overflow": ("signed-integer-overflow",),
    "sub-overflow": ("signed-integer-overflow",),
    "mul-overflow": ("signed-integer-overflow",),
    "negate-overflow": ("signed-integer-overflow",),
    "divrem-overflow": ("signed-integer-overflow", "integer-divide-by-zero"),
    "shift-out-of-bounds": ("shift",),
    "out-of-bounds": ("bounds",),
    "type-mismatch": ("null", "object-size"),
    "load-invalid-value": ("bool", "enum"),
    "nonnull-return": ("returns-nonnull-attribute",),
    "builtin-unreachable": ("unreachable",),
    "missing-return": ("return",),
    "vla-bound-not-positive": ("vla-bound",),
    "invalid-builtin": ("builtin",),
    "function-type-mismatch": ("function",),
    "dynamic-type-cache-miss": ("vptr",),
}
LIBRARIES = ("-lm", "-lpthread", "-ldl")


@dataclass(frozen=True, slots=True)
class Checks:
    """What the sanitizers look for: AddressSanitizer always, and UBSan but for some checks."""

    undefined_behaviour: bool
    without: tuple[str, ...] = ()

    def but(self, checks: Iterable[str]) -> Checks:
        """The same without some of UBSan's checks."""
        return replace(self, without=tuple(sorted({*self.without, *checks})))

    def flags(self) -> list[str]:
        """As the compiler takes them; every report ends the run."""
        if not self.undefined_behaviour:
            return ["-fsanitize=address"]
        left_out = ",".join((*_TOO_COMMON, *self.without))
        return [
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=undefined",
            f"-fno-sanitize={left_out}",
        ]


def for_target(tools: Toolchain, checks: Checks) -> list[str]:
    """Flags for the target's own sources."""
    return [
        "-O1", *_FOR_STACKS, "-fPIC", *for_old_c(tools),
        *checks.flags(),
    ]  # fmt: skip


def for_old_c(tools: Toolchain) -> list[str]:
    """No warnings, and no errors that once were warnings."""
    return [*_FOR_OLD_C, *(_FOR_OLD_C_CLANG if tools.is_clang else ())]


def for_harness(tools: Toolchain, checks: Checks) -> list[str]:
    """Flags for the harness: as it is written, and its variables off the stack proper.

    A harness could otherwise reach its callers' frames from the address of a variable.
    """
    apart = ("-fsanitize-address-use-after-return=always",) if _has_fake_stack(tools) else ()
    return [
        "-O0", *_FOR_STACKS[:2], "-fPIC", *_FOR_TYPES, *apart,
        *checks.flags(),
        *(_NO_TYPE_CHECKS if tools.is_clang else ()),
    ]  # fmt: skip


def _has_fake_stack(tools: Toolchain) -> bool:
    return tools.is_clang and tools.major >= 14  # clang 14 release notes: the flag is new


def for_driver() -> list[str]:
    """Flags for our own program around the harness: without sanitizers, which it must not trip."""
    return ["-g", "-O1", "-fPIE", "-fno-builtin", "-fno-omit-frame-pointer", "-w"]
