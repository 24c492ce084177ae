"""Single changes to an input: each takes bytes and a source of chance and gives bytes.  Pure.

They are made to leave a flaw's cause in place while everything that a narrow filter could look for
changes: spelling, encoding, white space, quoting, case, counts, lengths, neighbours.
"""

from __future__ import annotations

import ast
import random
import re
import warnings
from collections.abc import Callable
from typing import Final

from clearhouse.proof.spellings import (
    REPEATED,
    SEARCHED_BYTES,
    SPACES,
    SPELLINGS,
    TOKEN,
    Pool,
    evade,
    other_token,
    text_of,
    wide,
)

_NUMBER: Final = re.compile(r"(?<![\w.])\d{1,18}(?![\w.])")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_EDGE_BYTES: Final = (0x00, 0x01, 0x20, 0x2F, 0x30, 0x41, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)


Change = Callable[[random.Random, bytes, Pool], bytes | None]


def _textual(change: Callable[[random.Random, str, Pool], str | None]) -> Change:
    def on_bytes(chance: random.Random, data: bytes, pool: Pool) -> bytes | None:
        text = text_of(data)
        if text is None:
            return None
        changed = change(chance, text, pool)
        return None if changed is None else changed.encode("utf-8", "surrogatepass")

    return on_bytes


# -- text --------------------------------------------------------------------------------------


def _replace_token(chance: random.Random, text: str, pool: Pool) -> str | None:
    tokens = TOKEN.findall(text)
    places = [i for i, token in enumerate(tokens) if not token.isspace()]
    if not places:
        return None
    at = chance.choice(places)
    word = _WORD.match(tokens[at]) is not None
    like = [t for t in pool.tokens if (_WORD.match(t) is not None) == word and t != tokens[at]]
    known = like and chance.random() < 0.7
    tokens[at] = chance.choice(like) if known else other_token(chance, tokens[at])
    return "".join(tokens)


def _rename(chance: random.Random, text: str, _: Pool) -> str | None:
    """One word replaced everywhere, so that what belongs together still does."""
    words = list(dict.fromkeys(_WORD.findall(text)))
    if not words:
        return None
    old = chance.choice(words)
    return re.sub(rf"\b{re.escape(old)}\b", other_token(chance, old), text)


def _drop_token(chance: random.Random, text: str, _: Pool) -> str | None:
    tokens = TOKEN.findall(text)
    if len(tokens) < 2:
        return None
    del tokens[chance.randrange(len(tokens))]
    return "".join(tokens)


def _double_token(chance: random.Random, text: str, _: Pool) -> str | None:
    tokens = TOKEN.findall(text)
    at = chance.randrange(len(tokens))
    return "".join((*tokens[: at + 1], *tokens[at:]))


def _change_space(chance: random.Random, text: str, _: Pool) -> str | None:
    tokens = TOKEN.findall(text)
    at = chance.randrange(len(tokens) + 1)
    if at < len(tokens) and tokens[at].isspace():
        tokens[at] = chance.choice([s for s in SPACES if s != tokens[at]])
    else:
        tokens.insert(at, chance.choice(SPACES[:-1]))
    return "".join(tokens)


def _change_case(chance: random.Random, text: str, _: Pool) -> str | None:
    words = list(_WORD.finditer(text))
    if not words:
        return None
    word = chance.choice(words)
    how = chance.choice((str.swapcase, str.upper, str.lower, str.title))
    return text[: word.start()] + how(word[0]) + text[word.end() :]


def _change_quotes(chance: random.Random, text: str, _: Pool) -> str | None:
    if "'" in text or '"' in text:
        return text.translate(str.maketrans("'\"", "\"'"))
    tokens = TOKEN.findall(text)
    at = chance.randrange(len(tokens))
    quote = chance.choice(("'", '"', "\\", "`"))
    tokens[at] = f"{quote}{tokens[at]}{'' if quote == chr(92) else quote}"
    return "".join(tokens)


def _encode(chance: random.Random, text: str, _: Pool) -> str | None:
    """A stretch of the text in another spelling that parsers undo."""
    start = chance.randrange(len(text))
    size = min(len(text) - start, chance.choice((1, 1, 2, 4, 8)))
    piece = text[start : start + size]
    spelled = chance.choice(SPELLINGS)(piece)
    return text[:start] + spelled + text[start + size :]


def _widen_word(chance: random.Random, text: str, _: Pool) -> str | None:
    """A word with one of its letters in full width."""
    words = [m for m in _WORD.finditer(text) if m[0].isascii()]
    if not words:
        return None
    word = chance.choice(words)
    # A Python name must still begin with a letter of its own; "_" has a full-width form, too.
    at = chance.randrange(word.start() + (1 if word.end() - word.start() > 1 else 0), word.end())
    return text[:at] + wide(text[at]) + text[at + 1 :]


def _change_number(chance: random.Random, text: str, pool: Pool) -> str | None:
    numbers = list(_NUMBER.finditer(text))
    if not numbers:
        return None
    number = chance.choice(numbers)
    value = int(number[0])
    near = [n + d for n in pool.numbers for d in (-1, 0, 1)]
    other = chance.choice([value + 1, value - 1, value * 2, 0, 1, *near])
    spelled = chance.choice((str(other), f"0{other}", f"{other}.0", f"+{other}", str(other)))
    return text[: number.start()] + spelled + text[number.end() :]


def _change_path(chance: random.Random, text: str, _: Pool) -> str | None:
    """Another spelling of a path to the same place (POSIX, 4.13 pathname resolution)."""
    slashes = [i for i, c in enumerate(text) if c == "/"]
    if not slashes:
        return None
    at = chance.choice(slashes)
    other = chance.choice(("//", "/./", "/x/../", "/.//", "/../work/", "\\", "/././", "///"))
    return text[:at] + other + text[at + 1 :]


def _change_line(chance: random.Random, text: str, _: Pool) -> str | None:
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return None
    first, second = chance.sample(range(len(lines)), 2)
    match chance.randrange(3):
        case 0:
            lines[first], lines[second] = lines[second], lines[first]
        case 1:
            lines.insert(first, lines[second])
        case _:
            del lines[first]
    return "".join(lines)


def _join_text(chance: random.Random, text: str, pool: Pool) -> str | None:
    """Before, behind or between another input of the kind."""
    others = [t for raw in pool.texts if (t := text_of(raw)) is not None and t != text]
    if not others:
        return None
    other = chance.choice(others)
    glue = chance.choice(("\n", " ", "\n\n", ""))
    match chance.randrange(3):
        case 0:
            return other + glue + text
        case 1:
            return text + glue + other
        case _:
            at = chance.randrange(len(other) + 1)
            return other[:at] + glue + text + glue + other[at:]


def _pad(chance: random.Random, text: str, pool: Pool) -> str | None:
    """White space around, and lengths beside those that the patch compares with."""
    space = chance.choice((" ", "\n", "\t", "\r\n", " \n "))
    short = [n + d for n in pool.numbers for d in (-1, 0) if len(text) < n + d <= 2 * len(text)]
    if short:
        space = chance.choice((" ", "\n")) * (chance.choice(short) - len(text))
    return chance.choice((space + text, text + space, space + text + space))


def _python(chance: random.Random, text: str, _: Pool) -> str | None:
    """An expression of Python written otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    if isinstance(tree.body, ast.Name | ast.Constant):
        return None
    expression = text.strip()
    split = chance.randrange(1, len(expression))
    in_two = f"{expression[:split]!r} + {expression[split:]!r}"
    constants = [n for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    strings = [n for n in constants if isinstance(n.value, str)]
    forms = [
        f"({expression})", f"[{expression}][0]", f"(lambda: {expression})()",
        f"({expression}) if 1 else 0", f"eval({in_two})", f"0 or ({expression})",
    ]  # fmt: skip
    if strings:
        one = chance.choice(strings)
        value = str(one.value)
        one.value = "\x00split\x00"
        escaped = "".join(f"\\x{ord(c):02x}" if ord(c) < 256 else c for c in value)
        forms += [ast.unparse(tree).replace(repr("\x00split\x00"), f"'{escaped}'")] * 2
    return chance.choice(forms)


# -- bytes -------------------------------------------------------------------------------------


def _flip_bit(chance: random.Random, data: bytes, _: Pool) -> bytes | None:
    if not data:
        return None
    out = bytearray(data)
    out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def _set_byte(chance: random.Random, data: bytes, _: Pool) -> bytes | None:
    if not data:
        return None
    out = bytearray(data)
    at = chance.randrange(len(out))
    near = ((out[at] + 1) & 0xFF, (out[at] - 1) & 0xFF, chance.randrange(256))
    out[at] = chance.choice((*_EDGE_BYTES, *near, *near))
    return bytes(out)


def _insert_bytes(chance: random.Random, data: bytes, _: Pool) -> bytes | None:
    at = chance.randrange(len(data) + 1)
    piece = bytes(chance.choice(_EDGE_BYTES) for _ in range(chance.choice((1, 1, 2, 4))))
    return data[:at] + piece + data[at:]


def _cut(chance: random.Random, data: bytes, _: Pool) -> bytes | None:
    if len(data) < 2:
        return None
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.choice((1, 1, 2, 4, max(1, len(data) // 8))) :]


def _double(chance: random.Random, data: bytes, _: Pool) -> bytes | None:
    if not data:
        return None
    start = chance.randrange(len(data))
    size = chance.choice((1, 2, 4, max(1, len(data) // 4)))
    return data[: start + size] + data[start:]


def _shorten(chance: random.Random, data: bytes, _: Pool) -> bytes | None:
    if len(data) < 2:
        return None
    return data[: -chance.choice((1, 1, 2, max(1, len(data) // 8)))]


def _splice(chance: random.Random, data: bytes, pool: Pool) -> bytes | None:
    if not pool.texts:
        return None
    other = chance.choice(pool.texts)
    here, there = chance.randrange(len(data) + 1), chance.randrange(len(other) + 1)
    return data[:here] + other[there:] if chance.random() < 0.5 else other[:there] + data[here:]


def _repeat(chance: random.Random, data: bytes, pool: Pool) -> bytes | None:
    """Another number of repetitions of something that repeats."""
    run = _a_run(chance, data)
    if run is None:
        return None
    unit = run[1]
    count = len(run[0]) // len(unit)
    near = [n + d for n in pool.numbers for d in (-1, 0, 1) if 0 < n + d < 2 * count]
    options = [count - 1, count + 1, count * 3 // 4, count * 5 // 4, count * 3 // 2, *near]
    other = max(0, chance.choice(options))
    return data[: run.start()] + unit * other + data[run.end() :]


def _change_unit(chance: random.Random, data: bytes, _: Pool) -> bytes | None:
    """Something else that repeats as often."""
    run = _a_run(chance, data)
    if run is None:
        return None
    unit = bytearray(run[1])
    at = chance.randrange(len(unit))
    if chr(unit[at]).isalnum() and unit[at] < 0x80:
        unit[at] = ord(other_token(chance, chr(unit[at])))
    else:
        unit[at] ^= 1 << chance.randrange(8)
    count = len(run[0]) // len(unit)
    return data[: run.start()] + bytes(unit) * count + data[run.end() :]


def _break_run(chance: random.Random, data: bytes, _: Pool) -> bytes | None:
    """Something else in the middle of what repeats."""
    run = _a_run(chance, data)
    if run is None:
        return None
    at = run.start() + chance.randrange(len(run[0]) // len(run[1])) * len(run[1])
    return data[:at] + bytes([chance.randrange(32, 127)]) + data[at:]


def _a_run(chance: random.Random, data: bytes) -> re.Match[bytes] | None:
    runs = list(REPEATED.finditer(data[:SEARCHED_BYTES]))
    return chance.choices(runs, [len(r[0]) for r in runs])[0] if runs else None


EVASION: Final = "what the patch looks for spelled otherwise"
#: Every kind of change, with the words that say what it did.
CHANGES: Final[dict[str, Change]] = {
    EVASION: _textual(evade),
    "a token replaced": _textual(_replace_token),
    "a word renamed throughout": _textual(_rename),
    "a token dropped": _textual(_drop_token),
    "a token doubled": _textual(_double_token),
    "other white space": _textual(_change_space),
    "other case": _textual(_change_case),
    "other quotes": _textual(_change_quotes),
    "a stretch encoded": _textual(_encode),
    "letters in full width": _textual(_widen_word),
    "another number": _textual(_change_number),
    "a path spelled otherwise": _textual(_change_path),
    "lines moved": _textual(_change_line),
    "joined with a control": _textual(_join_text),
    "padded": _textual(_pad),
    "the expression written otherwise": _textual(_python),
    "a bit flipped": _flip_bit,
    "a byte changed": _set_byte,
    "bytes inserted": _insert_bytes,
    "bytes cut out": _cut,
    "bytes doubled": _double,
    "shortened": _shorten,
    "spliced with a control": _splice,
    "other repetitions": _repeat,
    "another thing repeated": _change_unit,
    "a repetition broken": _break_run,
}
