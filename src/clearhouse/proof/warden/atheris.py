"""A stand-in for the fuzzer's module, so that its harnesses run here as they are.

Fuzzing itself is left out: instrumenting, ``Setup`` and ``Fuzz`` do nothing, the engine calls
``TestOneInput``.  What turns bytes into values has to agree with the real one to the bit, or a
fuzzer's crash file means something else here: :class:`FuzzedDataProvider` follows the behaviour of
Atheris 3.0 (compared with it value by value in ``tests/proof/warden/test_atheris.py``).
"""

from __future__ import annotations

import builtins
import contextlib
import math
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T")

#: Asks for everything that is left.
ALL_REMAINING = (1 << 64) - 1

#: Hooks that the fuzzer offers; adding one changes nothing here.
enabled_hooks: set[str] = set()

_LARGEST = sys.float_info.max
_SMALLEST_NORMAL = sys.float_info.min
_SMALLEST = math.ulp(0.0)
_SPECIAL = (
    0.0, -0.0, math.inf, -math.inf, math.nan, _SMALLEST, -_SMALLEST, _SMALLEST_NORMAL,
    -_SMALLEST_NORMAL, _LARGEST, -_LARGEST,
)  # fmt: skip
_U64 = (1 << 64) - 1


@contextlib.contextmanager
def instrument_imports(
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    enable_loader_override: bool = True,  # noqa: FBT002
) -> Iterator[None]:
    """Import what stands in the block; nothing is instrumented."""
    yield


def instrument_func(func: _T) -> _T:
    """Return the function as it is."""
    return func


def instrument_all() -> None:
    """Do nothing."""


def Setup(  # noqa: N802 - the real one's name
    argv: Sequence[str],
    test_one_input: Callable[[bytes], Any],
    **options: Any,
) -> list[str]:
    """Return the arguments that the fuzzer would leave to the program: all of them."""
    return list(argv)


def Fuzz() -> None:  # noqa: N802
    """Do nothing: the engine calls the harness."""


def Mutate(data: bytes, max_size: int) -> bytes:  # noqa: N802
    """Return the data, cut to the size, unmutated."""
    return data[:max_size]


def path() -> str:
    """The folder of the fuzzer's files, of which there are none."""
    return "/work"


class FuzzedDataProvider:
    """Cuts typed values off a byte string: most from its front, small integers from its end."""

    def __init__(self, input_bytes: bytes) -> None:
        self._data = bytes(input_bytes)
        self._end = len(self._data)
        self._start = 0

    # -- the two ends ------------------------------------------------------------------------------

    def _front(self, count: int) -> bytes:
        """Up to ``count`` bytes from the front."""
        if count < 0:
            raise TypeError("a count must not be negative")
        taken = self._data[self._start : min(self._start + count, self._end)]
        self._start += len(taken)
        return taken

    def _small(self, bits: int, largest: int) -> int:
        """An integer from 0 to ``largest``, from the bytes at the end, as libFuzzer takes it."""
        result = offset = 0
        while offset < bits and largest >> offset > 0 and self.remaining_bytes():
            self._end -= 1
            result = (result << 8 | self._data[self._end]) & _U64
            offset += 8
        if largest != _U64:
            result %= largest + 1
        return result - (1 << 64) if result >> 63 else result

    def remaining_bytes(self) -> int:
        """How many bytes are left."""
        return self._end - self._start

    def buffer(self) -> bytes:
        """The bytes that are left, without taking them."""
        return self._data[self._start : self._end]

    # -- bytes and text ----------------------------------------------------------------------------

    def ConsumeBytes(self, count: int) -> bytes:  # noqa: N802
        """Up to ``count`` bytes."""
        return self._front(count)

    def ConsumeUnicode(self, count: int) -> str:  # noqa: N802
        """Up to ``count`` characters, lone surrogates among them."""
        return self._text(count, surrogates=True)

    def ConsumeUnicodeNoSurrogates(self, count: int) -> str:  # noqa: N802
        """Up to ``count`` characters, none of them a surrogate."""
        return self._text(count, surrogates=False)

    def ConsumeString(self, count: int) -> str:  # noqa: N802
        """The same as :meth:`ConsumeUnicode`."""
        return self._text(count, surrogates=True)

    def _text(self, count: int, *, surrogates: bool) -> str:
        if count < 0:
            raise TypeError("a count must not be negative")
        if count == 0 or self.remaining_bytes() == 0:
            return ""
        if self.remaining_bytes() == 1:
            self._front(1)
            return ""
        kind = self._front(1)[0]
        if kind & 1:
            return bytes(b & 0x7F for b in self._front(count)).decode("ascii")
        if kind & 2:
            raw = self._front(count * 2)
            points = list(struct.unpack(f"<{len(raw) // 2}H", raw[: len(raw) // 2 * 2]))
        else:
            raw = self._front(count * 4)
            words = struct.unpack(f"<{len(raw) // 4}I", raw[: len(raw) // 4 * 4])
            points = [_code_point(word) for word in words]
        if not surrogates:
            points = [p - 0xD800 if 0xD800 <= p < 0xE000 else p for p in points]
        return "".join(map(chr, points))

    # -- integers ----------------------------------------------------------------------------------

    def ConsumeInt(self, count: int) -> int:  # noqa: N802
        """A signed integer of ``count`` bytes, the lowest first."""
        return int.from_bytes(self._front(count), "little", signed=True)

    def ConsumeUInt(self, count: int) -> int:  # noqa: N802
        """An unsigned integer of ``count`` bytes, the lowest first."""
        return int.from_bytes(self._front(count), "little")

    def ConsumeIntInRange(self, min: int, max: int) -> int:  # noqa: A002, N802
        """An integer from ``min`` to ``max``.  Raises RuntimeError where there is none."""
        delta = max - min
        if delta < 0:
            raise RuntimeError("ConsumeIntInRange: min must be <= max")
        bits = delta.bit_length()
        if bits <= 64:
            return min + (self._small(bits, delta) & _U64)
        return min + self.ConsumeInt(bits // 8) % (delta + 1)

    def ConsumeIntList(self, count: int, size: int) -> list[int]:  # noqa: N802
        """``count`` signed integers of ``size`` bytes each."""
        return [self.ConsumeInt(size) for _ in range(count)]

    def ConsumeIntListInRange(self, count: int, min: int, max: int) -> list[int]:  # noqa: A002, N802
        """``count`` integers from ``min`` to ``max``."""
        return [self.ConsumeIntInRange(min, max) for _ in range(count)]

    # -- floating point ----------------------------------------------------------------------------

    def ConsumeProbability(self) -> float:  # noqa: N802
        """A number from 0 to 1."""
        return int.from_bytes(self._front(8), "little") / float(_U64)

    def ConsumeFloat(self) -> float:  # noqa: N802
        """Any number, special ones such as infinities among them."""
        if not self.remaining_bytes():
            return 0.0
        kind = self._front(1)[0]
        if kind < len(_SPECIAL):
            self._front(9)
            return _SPECIAL[kind]
        return self.ConsumeRegularFloat()

    def ConsumeRegularFloat(self) -> float:  # noqa: N802
        """A finite number."""
        return self.ConsumeFloatInRange(-_LARGEST, _LARGEST)

    def ConsumeFloatInRange(self, min: float, max: float) -> float:  # noqa: A002, N802
        """A number from ``min`` to ``max``.  Raises RuntimeError where there is none."""
        if min > max:
            raise RuntimeError("ConsumeFloatInRange: min must be <= max")
        result = float(min)
        if min < 0 < max and min + _LARGEST < max:  # too far apart for one number
            width = max / 2 - min / 2
            if self.ConsumeBool():
                result += width
        else:
            width = max - min
        return result + width * self.ConsumeProbability()

    def ConsumeFloatList(self, count: int) -> list[float]:  # noqa: N802
        """``count`` numbers of any kind."""
        return [self.ConsumeFloat() for _ in range(count)]

    def ConsumeRegularFloatList(self, count: int) -> list[float]:  # noqa: N802
        """``count`` finite numbers."""
        return [self.ConsumeRegularFloat() for _ in range(count)]

    def ConsumeProbabilityList(self, count: int) -> list[float]:  # noqa: N802
        """``count`` numbers from 0 to 1."""
        return [self.ConsumeProbability() for _ in range(count)]

    def ConsumeFloatListInRange(self, count: int, min: float, max: float) -> list[float]:  # noqa: A002, N802
        """``count`` numbers from ``min`` to ``max``."""
        return [self.ConsumeFloatInRange(min, max) for _ in range(count)]

    # -- choices -----------------------------------------------------------------------------------

    def ConsumeBool(self) -> bool:  # noqa: N802
        """True or false."""
        if not self.remaining_bytes():
            return False
        return bool(self._front(1)[0] & 1)

    def PickValueInList(self, list: Sequence[_T]) -> _T:  # noqa: A002, N802
        """One of the values.  Raises IndexError where there is none."""
        if not isinstance(list, builtins.list):
            raise TypeError("expected a list")
        size = len(list)
        if size == 0:
            raise IndexError("list index out of range")
        bits = next(bits for bits in (8, 16, 32, 64) if size <= (1 << bits) - 1)
        chosen: _T = list[self._small(bits, size - 1)]
        return chosen


def _code_point(word: int) -> int:
    """21 bits, the highest of them alone where it is set: code points end at 0x10FFFF."""
    point = word & 0x1FFFFF
    return point & ~0x0F0000 if point & 0x100000 else point
