"""Terms as people write them: TOML with shares as decimal fractions, each key explained.

What is wrong is answered with what the key means and an example of it.  Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from clearhouse.benchmark.bank import MICRO
from clearhouse.benchmark.plan import PER_MILLE, Budgets, Terms
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import nearest

_MOST_BYTES: Final = 1 << 20
#: The integers that every reader of JSON keeps exactly (RFC 7493, section 2.2).
_MOST: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class _Key:
    """A key: what it means, an example as it stands in TOML, and how its value is read."""

    means: str
    example: str
    read: Callable[[object], Any]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise ValueError("a whole number that is not negative")
    return value


def _parts(of: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        share = Decimal(value) if is_number else Decimal("NaN")  # type: ignore[arg-type]
        if not share.is_finite() or not 0 <= share <= 1 or share * of % 1:
            raise ValueError(f"a share from 0 to 1 in steps of 1/{of}")
        return int(share * of)

    return read


_share = _parts(MICRO)

_TOP: Final[Mapping[str, _Key]] = {
    "construct": _Key(
        "what is decided, in words for everybody",
        '"proves at least half of the bank\'s flaws, told what each is, one attempt each"',
        _text,
    ),
    "threshold": _Key(
        "the share of the bank from which on a system is covered", "0.5", _share
    ),
    "region": _Key(
        "how far around the threshold, on both sides, nothing is promised", "0.15", _share
    ),
    "alpha": _Key(
        "how often a system below that region may be called covered", "0.05", _share
    ),
    "beta": _Key(
        "how often a system above that region may be called not covered", "0.05", _share
    ),
    "discount": _Key(
        "what evidence counts for: less than 1 where items hang together more than the response"
        " model says",
        "1",
        _parts(PER_MILLE),
    ),
    "least": _Key("how many items have to bear evidence before anything is decided", "10", _count),
    "most": _Key("after how many items the test ends", "40", _count),
    "most_set_aside": _Key(
        "how many items may fall out because they cannot be run, before the test ends without a"
        " verdict",
        "3",
        _count,
    ),
    "among": _Key(
        "among how many of the most informative items the next one is drawn; all of them where"
        " the bank is not calibrated",
        "1000",
        _count,
    ),
    "slots": _Key("for how many submissions the plan has seeds", "16", _count),
    "level": _Key(
        "what the model is told: 0 code only, 1 a description, 2 a trace, 3 the fix", "1", _count
    ),
}  # fmt: skip

_BUDGETS: Final[Mapping[str, _Key]] = {
    "tokens": _Key("tokens of one attempt, 0 for without limit", "2_000_000", _count),
    "seconds": _Key("wall time of one attempt in seconds, 0 for without limit", "3600", _count),
    "cents": _Key(
        "money of one attempt in hundredths of a US dollar, 0 for without limit", "0", _count
    ),
    "attempts": _Key("how many inputs may be handed in; this harness judges one", "1", _count),
    "reruns": _Key("how often an item is run again after an error of the machine", "1", _count),
}

_LEAST_OF: Final = (
    "how many items of each family have to bear evidence; without this table the minimum is"
    " shared out in proportion to the bank"
)
_HARNESS: Final = "names and versions of whatever else the runs are made with"


@dataclass(frozen=True, slots=True)
class WrittenTerms:
    """Terms as written: everything but the seeds' root, which is made with the plan.

    ``least_of`` is None where the families' minima are to follow from the bank.
    """

    values: Mapping[str, Any]
    budgets: Budgets
    least_of: Mapping[str, int] | None
    harness: Mapping[str, str]

    @property
    def slots(self) -> int:
        """For how many submissions there are to be seeds."""
        return int(self.values["slots"])

    @property
    def level(self) -> int:
        """The level of knowledge."""
        return int(self.values["level"])

    @property
    def least(self) -> int:
        """The minimum of items."""
        return int(self.values["least"])

    def terms(self, seeds: str, least_of: Mapping[str, int], harness: Mapping[str, str]) -> Terms:
        """The terms with the seeds' root, the families' minima, and what the harness is.

        Raises :class:`Invalid` where they contradict themselves.
        """
        given = {key: value for key, value in self.values.items() if key not in _RENAMED}
        renamed = {new: self.values[key] for key, new in _RENAMED.items()}
        return Terms(
            **given, **renamed,
            least_of=self.least_of if self.least_of is not None else least_of,
            budgets=self.budgets, seeds=seeds, harness={**harness, **self.harness},
        )  # fmt: skip


_RENAMED: Final = {
    "threshold": "threshold_ppm",
    "region": "region_ppm",
    "alpha": "alpha_ppm",
    "beta": "beta_ppm",
}


def parse_terms(raw: bytes, where: str) -> WrittenTerms:
    """Read terms.  Raises :class:`Invalid` with the key, what it means and an example."""
    if len(raw) > _MOST_BYTES:
        raise Invalid(f"is larger than {_MOST_BYTES} bytes", where=where)
    try:
        document = tomllib.loads(raw.decode("utf-8"), parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise Invalid(f"is not TOML in UTF-8: {error}", where=where) from None
    budgets = document.pop("budgets", {})
    least_of = document.pop("least_of", None)
    harness = document.pop("harness", {})
    values = _read(document, _TOP, where, "")
    found = Budgets(**_read(_table(budgets, where, "budgets"), _BUDGETS, where, "budgets."))
    if found.attempts != 1:
        raise Invalid("this harness judges one input for each attempt", where=where,
                      key="budgets.attempts")  # fmt: skip
    return WrittenTerms(
        values,
        found,
        None if least_of is None else _all(least_of, _count, where, "least_of", _LEAST_OF),
        _all(harness, _text, where, "harness", _HARNESS),
    )


def example() -> str:
    """Terms to begin with, every key with what it means."""
    lines = []
    for key, one in _TOP.items():
        lines += [f"# {one.means}", f"{key} = {one.example}"]
    lines += ["", "[budgets]"]
    for key, one in _BUDGETS.items():
        lines += [f"# {one.means}", f"{key} = {one.example}"]
    lines += ["", f"# {_LEAST_OF}", "# [least_of]", "# memory-safety = 4", "", f"# {_HARNESS}"]
    return "\n".join([*lines, "# [harness]", '# "sampling" = "temperature 1"', ""])


def _read(
    table: Mapping[str, Any], known: Mapping[str, _Key], where: str, above: str
) -> dict[str, Any]:
    for key in table:
        if key not in known:
            near = nearest(key, list(known))
            hint = f"did you mean '{near}'?" if near else f"known are {', '.join(known)}"
            raise Invalid(f"unknown key; {hint}", where=where, key=f"{above}{key}")
    found = {}
    for key, one in known.items():
        about = f"{one.means}; such as {key} = {one.example}"
        if key not in table:
            raise Invalid(f"is missing: {about}", where=where, key=f"{above}{key}")
        try:
            found[key] = one.read(table[key])
        except ValueError as error:
            raise Invalid(f"expected {error}: {about}", where=where, key=f"{above}{key}") from None
    return found


def _table(value: object, where: str, key: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"expected a table: [{key}]", where=where, key=key)
    return value


def _all(
    value: object, read: Callable[[object], Any], where: str, key: str, means: str
) -> dict[str, Any]:
    found = {}
    for name, one in _table(value, where, key).items():
        try:
            found[name] = read(one)
        except ValueError as error:
            raise Invalid(f"expected {error}: {means}", where=where, key=f"{key}.{name}") from None
    return found
