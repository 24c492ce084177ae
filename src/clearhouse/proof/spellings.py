"""What a patch may look for, spelled otherwise; and what inputs are made of.  Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

TOKEN: Final = re.compile(r"\w+|\s+|[^\w\s]")
REPEATED: Final = re.compile(rb"(.{1,16}?)\1{3,}", re.DOTALL)
SPACES: Final = (" ", "  ", "\t", "\n", "\r\n", "\x0c", "\u00a0", "")
#: Repetitions and tokens are looked for in this much of an input.
SEARCHED_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Pool:
    """What changes may draw on.

    ``texts`` are other inputs of the same kind, ``tokens`` words and signs seen anywhere,
    ``literals`` and ``numbers`` what the patch compares with.
    """

    texts: tuple[bytes, ...]
    tokens: tuple[str, ...]
    literals: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()


def text_of(data: bytes) -> str | None:
    """The input as text, or None when it is none that people write."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    strange = sum(1 for c in text if not c.isprintable() and not c.isspace())
    return text if text and strange * 20 <= len(text) else None


def other_token(chance: random.Random, token: str) -> str:
    """A token of the same sort: letters for letters, digits for digits, a sign for a sign."""
    if not (token[0].isalnum() or token[0] == "_"):
        return chance.choice("!#$%&()*+,-./:;<=>?@[]^_{|}~")
    return "".join(
        chance.choice("0123456789") if c.isdigit()
        else chance.choice("abcdefghijklmnopqrstuvwxyz") if c.islower()
        else chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") if c.isupper() else c
        for c in token
    )  # fmt: skip


def wide(piece: str) -> str:
    """Full-width forms: the same letters to whoever normalises (NFKC), as Python does names."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in piece)


SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (
    lambda piece: "".join(f"%{b:02x}" for b in piece.encode("utf-8", "replace")),
    lambda piece: "".join(f"%{b:02X}" for b in piece.encode("utf-8", "replace")),
    lambda piece: "".join(f"&#{ord(c)};" for c in piece),
    lambda piece: "".join(f"&#x{ord(c):x};" for c in piece),
    lambda piece: "".join(f"\\u{ord(c) & 0xFFFF:04x}" for c in piece),
    lambda piece: "".join(f"\\x{ord(c) & 0xFF:02x}" for c in piece),
    wide,
    lambda piece: "".join("\\" + c for c in piece),
)


def evade(chance: random.Random, text: str, pool: Pool) -> str | None:
    """What the patch looks for, spelled otherwise."""
    present = [one for one in pool.literals if one and one in text]
    if not present:
        return None
    literal = chance.choice(present)
    at = chance.choice([m.start() for m in re.finditer(re.escape(literal), text)])
    inside = chance.randrange(len(literal) + 1)
    spellings = [
        literal.swapcase(), literal.upper(), literal.title(), wide(literal),
        literal[:inside] + chance.choice(SPACES[:-1]) + literal[inside:],
        wide(literal[0]) + literal[1:], literal[:-1] + wide(literal[-1]),
        literal[:inside] + literal[inside + 1 :], other_token(chance, literal[0]) + literal[1:],
        literal[:inside] + "\\" + literal[inside:], chance.choice(SPELLINGS)(literal),
    ]  # fmt: skip
    return text[:at] + chance.choice(spellings) + text[at + len(literal) :]


def evasions(data: bytes, pool: Pool) -> Iterator[bytes]:
    """Everything that the patch looks for spelled otherwise at once, by one spelling each time.

    A filter that looks for several things is passed only when none of them is left. Then counts
    and lengths just short of the numbers that it compares with.
    """
    text = text_of(data)
    if text is not None:
        present = sorted((one for one in pool.literals if one and one in text), key=len)
        if present:
            found = re.compile("|".join(re.escape(one) for one in reversed(present)))
            for spelling in _WHOLE_SPELLINGS:
                changed = found.sub(lambda m, spelling=spelling: spelling(m[0]), text)  # type: ignore[misc]
                yield changed.encode("utf-8", "surrogatepass")
    runs = list(REPEATED.finditer(data[:SEARCHED_BYTES]))
    for number in pool.numbers:
        if 1 < number < len(data):
            yield data[: number - 1]
        for run in runs:
            count = len(run[0]) // len(run[1])
            if 1 < number <= count:
                yield data[: run.start()] + run[1] * (number - 1) + data[run.end() :]


def _other_everywhere(piece: str) -> str:
    """Other letters and digits of the same sort, always the same ones."""
    return "".join(
        chr(ord(c) + 1) if c.isascii() and c.isalnum() and c not in "zZ9" else c for c in piece
    )


def _in_each_word(change: Callable[[str], str]) -> Callable[[str], str]:
    """Change one letter in each of the words of what the patch looks for."""
    return lambda piece: re.sub(
        r"[A-Za-z][A-Za-z0-9]*", lambda m: change(m[0][0]) + m[0][1:], piece
    )


_WHOLE_SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (
    _in_each_word(wide), _in_each_word(str.swapcase), str.swapcase, str.upper, wide,
    lambda piece: piece.replace("/", "//"), lambda piece: piece.replace("/", "/./"),
    lambda piece: piece + piece[-1:], lambda piece: piece[:1] + piece, lambda piece: piece[1:],
    lambda piece: piece[:1] + " " + piece[1:], lambda piece: piece[:-1] + "\t" + piece[-1:],
    lambda piece: piece[:1] + "\n" + piece[1:], _other_everywhere,
    *SPELLINGS,
)  # fmt: skip


def tokens_of(texts: Sequence[bytes]) -> tuple[str, ...]:
    """Words and signs of some inputs, each once."""
    found: dict[str, None] = {}
    for raw in texts:
        text = text_of(raw[:SEARCHED_BYTES])
        if text is not None:
            found.update(dict.fromkeys(t for t in TOKEN.findall(text) if not t.isspace()))
    return tuple(found)[:2000]
