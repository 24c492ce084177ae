"""The plan: everything that decides, committed by its digest before the first attempt.

The same plan holds for every submission.  It is a document of texts and integers only, so that
the decision and its recomputation are exact on any machine and in any language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from clearhouse.benchmark.bank import MICRO, Bank, check_format, check_spelling, digest_of
from clearhouse.benchmark.seeds import MOST_SLOTS
from clearhouse.benchmark.weighing import ability_at, bound, weigh
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode, shown
from clearhouse.ledger.entry import canonical

FORMAT: Final = "clearhouse-plan/1"
MOST_BYTES: Final = 16 << 20
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
PER_MILLE: Final = 1000
#: The integers that every reader of JSON keeps exactly (RFC 7493, section 2.2).
_MOST_INTEGER: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Budgets:
    """What one attempt at one item may use, and how often.

    0 tokens, seconds or cents is without that limit.
    ``cents`` is money in hundredths of a United States dollar, ``attempts`` the final inputs that
    may be handed in.  ``reruns`` is how often an item is run again after an infrastructure error.
    """

    tokens: int
    seconds: int
    cents: int
    attempts: int
    reruns: int

    def __post_init__(self) -> None:
        amounts = (self.tokens, self.seconds, self.cents, self.attempts, self.reruns)
        if min(amounts) < 0 or self.attempts < 1:
            raise Invalid("budgets are not negative, and there is at least one attempt")
        if max(amounts) > _MOST_INTEGER:
            raise Invalid("a budget beyond 2^53 is none")


@dataclass(frozen=True, slots=True)
class Terms:
    """What people choose; everything else of a plan follows from it and from the bank.

    ``threshold_ppm`` and ``region_ppm`` are millionths of the bank solved: covered is claimed of a
    system that solves at least threshold plus region, not covered of one at threshold minus region
    or below; between them nothing is promised.  ``alpha_ppm`` bounds the rate at which systems at
    or below the region are called covered, ``beta_ppm`` the rate at which those at or above it are
    called not covered.  ``discount`` (per mille) is what a nat counts for, less than 1000 where
    items of a family hang together more than the response model says.  ``least`` items have to
    bear evidence before anything is decided, and of each family ``least_of``; ``most`` is where
    the test ends.  The next item is drawn among the ``among`` best.  More than ``most_set_aside``
    items that could not be run end the test without a verdict.  ``level`` is the knowledge handed
    to the model (0 code only, 1 description, 2 trace, 3 fix).  ``seeds`` is the root of the seeds
    of ``slots`` submissions, in hexadecimal.
    """

    construct: str
    threshold_ppm: int
    region_ppm: int
    alpha_ppm: int
    beta_ppm: int
    discount: int
    least: int
    least_of: Mapping[str, int]
    most: int
    most_set_aside: int
    among: int
    slots: int
    seeds: str
    level: int
    budgets: Budgets
    harness: Mapping[str, str]

    def __post_init__(self) -> None:
        for wrong, message in (
            (not self.construct.strip(), "a plan says in words what it decides"),
            (self.region_ppm < 1, "an indifference region has a width"),
            (
                not self.region_ppm < self.threshold_ppm < MICRO - self.region_ppm,
                "threshold and region lie between nothing and all of the bank",
            ),
            (not 1 <= self.discount <= PER_MILLE, "a discount is 1 to 1000 per mille"),
            (self.least < 1 or self.most < self.least, "a test has at least one item"),
            (self.least < sum(self.least_of.values()), "the families' minima exceed the minimum"),
            (min(self.least_of.values(), default=0) < 0, "a minimum is not negative"),
            (self.most_set_aside < 0, "a number of items is not negative"),
            (
                not 1 <= self.among <= _MOST_INTEGER,
                "the next item is drawn among one or more, 2^53 at most",
            ),
            (not 1 <= self.slots <= MOST_SLOTS, f"there are 1 to {MOST_SLOTS} slots"),
            (not re.fullmatch(r"[0-9a-f]{64}", self.seeds), "the seeds' root is 64 hex digits"),
            (self.level not in range(4), "a knowledge level is 0, 1, 2 or 3"),
            (
                not all(key.isascii() for key in (*self.least_of, *self.harness)),
                "families and parts of the harness are named in ASCII",
            ),
        ):
            if wrong:
                raise Invalid(message)


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """An item in the plan: weights and information in nano-nats, before the discount.

    ``content`` is the item's digest, which covers every file of it: what is planned is this item
    and no other of its name.
    """

    name: str
    family: str
    content: str
    solved: int
    failed: int
    information: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The commitment.  ``low``, ``middle`` and ``high`` are the region's abilities in millionths.

    ``covered`` and ``not_covered`` are the evidence, in nano-nats, at which the test decides.
    Raises :class:`Invalid` for a plan that contradicts itself.
    """

    terms: Terms
    bank: str
    low: int
    middle: int
    high: int
    covered: int
    not_covered: int
    items: tuple[PlannedItem, ...]
    #: Names, the most informative first, ties by name: of each family, and of all under None.
    ranked: Mapping[str | None, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    by_name: Mapping[str, PlannedItem] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = {one.name: one for one in self.items}
        sizes = Counter(one.family for one in self.items)
        for wrong, message in (
            (len(named) != len(self.items), "an item stands twice in the plan"),
            (not self.terms.most <= len(self.items), "more items at most than there are"),
            (not self.low < self.middle < self.high, "the region's abilities are not in order"),
            (not self.not_covered < 0 < self.covered, "the bounds do not lie on both sides"),
            (not DIGEST.fullmatch(self.bank), "the bank's digest is sha256: and 64 hex digits"),
        ):
            if wrong:
                raise Invalid(message)
        for family, least in self.terms.least_of.items():
            if least > sizes[family]:
                raise Invalid(f"the family {shown(family)} has fewer than {least} items")
        for one in self.items:
            if not one.failed <= 0 <= one.solved:
                raise Invalid(f"a solution of {shown(one.name)} would count against it")
            if not DIGEST.fullmatch(one.content):
                raise Invalid(f"the digest of {shown(one.name)} is sha256: and 64 hex digits")
        ranked = sorted(self.items, key=lambda one: (-one.information, one.name))
        families: dict[str | None, list[str]] = {None: []}
        for one in ranked:
            families[None].append(one.name)
            families.setdefault(one.family, []).append(one.name)
        object.__setattr__(self, "ranked", {key: tuple(of) for key, of in families.items()})
        object.__setattr__(self, "by_name", named)

    def __bytes__(self) -> bytes:
        """The document, in canonical form (RFC 8785)."""
        return canonical(
            {
                "format": FORMAT,
                "terms": asdict(self.terms),
                "bank": self.bank,
                "low": self.low,
                "middle": self.middle,
                "high": self.high,
                "covered": self.covered,
                "not_covered": self.not_covered,
                "items": [asdict(one) for one in self.items],
            }
        )

    @property
    def contents(self) -> dict[str, str]:
        """The planned items' digests by their names."""
        return {one.name: one.content for one in self.items}

    def check_contents(self, contents: Mapping[str, str]) -> None:
        """Hold items by name and digest against the planned ones; others than those may be there.

        Raises :class:`Invalid` for a planned item that is not there, or is another one.
        """
        for one in self.items:
            found = contents.get(one.name)
            if found is None:
                raise Invalid(f"the planned item {shown(one.name)} is not there")
            if found != one.content:
                raise Invalid(
                    f"the item {shown(one.name)} is not the planned one: it is {found}, planned"
                    f" is {one.content}"
                )

    def check_bank(self, bank: Bank) -> None:
        """Raises :class:`Invalid` for another bank than the plan was made from."""
        if bank.digest != self.bank:
            raise Invalid(f"the bank is {bank.digest}, the plan's is {self.bank}")

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of the document: what the ledger records."""
        return digest_of(bytes(self))

    @classmethod
    def parse(cls, raw: bytes, where: str) -> Plan:
        """Read the document.  Raises :class:`Invalid` with the place, also for another spelling."""
        document = JsonValue(decode(raw, where, most_bytes=MOST_BYTES), where)
        numbers = ("low", "middle", "high", "covered", "not_covered")
        document.check_keys(("format", "terms", "bank", "items"), numbers)
        check_format(document, FORMAT)
        try:
            found = cls(
                terms=_terms(_at(document, "terms")),
                bank=_at(document, "bank").text(),
                items=tuple(_item(one) for one in document.listed("items")),
                **{key: _at(document, key).integer() for key in numbers},
            )
        except Invalid as error:
            raise error if error.where else Invalid(error.message, where=where) from None
        check_spelling(bytes(found), raw, where)
        return found


def make_plan(terms: Terms, bank: Bank, contents: Mapping[str, str]) -> Plan:
    """The plan that follows from what was chosen and from the bank; exact, without any choice.

    ``contents`` are the digests of the bank's items by their names.
    Raises :class:`Invalid` where the terms do not fit the bank, for an item of the bank without a
    digest, and for a digest of an item that the bank does not have.
    """
    names = {one.name for one in bank.items}
    for name in sorted(names ^ contents.keys()):
        what = "is not among the items" if name in names else "is not in the bank"
        raise Invalid(f"the item {shown(name)} {what}")
    low = ability_at(bank, terms.threshold_ppm - terms.region_ppm)
    middle = ability_at(bank, terms.threshold_ppm)
    high = ability_at(bank, terms.threshold_ppm + terms.region_ppm)
    items = []
    for item in bank.items:
        weights = weigh(item, low, high)
        items.append(
            PlannedItem(
                item.name,
                item.family,
                contents[item.name],
                weights.solved,
                weights.failed,
                weights.information,
            )
        )
    covered, not_covered = bound(terms.alpha_ppm), -bound(terms.beta_ppm)
    return Plan(terms, bank.digest, low, middle, high, covered, not_covered, tuple(items))


def family_minima(bank: Bank, total: int, *, least: int = 1) -> dict[str, int]:
    """Minima for each family in proportion to the bank, ``total`` in all and ``least`` each."""
    sizes = Counter(one.family for one in bank.items)
    return {
        family: min(size, max(least, total * size // len(bank.items)))
        for family, size in sorted(sizes.items())
    }


def _at(one: JsonValue, key: str) -> JsonValue:
    found = one.get(key)
    if found is None:
        raise one.wrong(f"has no {key}")
    return found


_TEXTS: Final = ("construct", "seeds")
_INTEGERS: Final = (
    "threshold_ppm", "region_ppm", "alpha_ppm", "beta_ppm", "discount", "least", "most",
    "most_set_aside", "among", "slots", "level",
)  # fmt: skip
_TABLES: Final = ("least_of", "budgets", "harness")
_BUDGETS: Final = ("tokens", "seconds", "cents", "attempts", "reruns")


def _terms(one: JsonValue) -> Terms:
    one.check_keys((*_TEXTS, *_INTEGERS, *_TABLES), ())
    minima, budgets, harness = (_at(one, key) for key in _TABLES)
    budgets.check_keys(_BUDGETS, ())
    return Terms(
        least_of={key: _at(minima, key).integer() for key in minima.table()},
        budgets=Budgets(**{key: _at(budgets, key).integer() for key in _BUDGETS}),
        harness={key: _at(harness, key).text() for key in harness.table()},
        construct=_at(one, "construct").text(),
        seeds=_at(one, "seeds").text(),
        **{key: _at(one, key).integer() for key in _INTEGERS},
    )


def _item(one: JsonValue) -> PlannedItem:
    texts, numbers = ("name", "family", "content"), ("solved", "failed", "information")
    one.check_keys((*texts, *numbers), ())
    name, family, content = (_at(one, key).text() for key in texts)
    return PlannedItem(name, family, content, *(_at(one, key).integer() for key in numbers))
