"""A sealed set: items that only their keepers can read, any ``together`` of them acting together.

A sealed set is a zip of two members: ``seal.json`` (what may be public, and one sealed share for
each keeper) and ``items.age`` (the items and the salts of their commitment).

1. The items are encrypted with age (the format age-encryption.org/v1) to a key made for this set.
2. The key is shared (``shamir``), and each share, together with the digest of what it opens, is
   encrypted with age to one keeper.
3. The key is thrown away.

Opening joins shares, decrypts, checks that what comes out is the bank that was committed to, and
records itself before anything is handed out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pyrage

from clearhouse.benchmark.item_file import ITEM_FILE
from clearhouse.benchmark.items import Item, item_of
from clearhouse.benchmark.openings import Occasion, Opening, record
from clearhouse.benchmark.public_bank import Bank, Commitment
from clearhouse.benchmark.shamir import join, split
from clearhouse.errors import Invalid, Refused
from clearhouse.proof.door import read_archive
from clearhouse.proof.members import MIB, Limits
from clearhouse.proof.zips import write_zip

FORMAT: Final = 1
LEAST_KEEPERS: Final = 2
#: The two-person rule.
TOGETHER: Final = 2
#: Beside the items of a set that was opened: the salts of its commitment.
BANK_FILE: Final = "bank.json"
#: Beside a sealed set: who opened it.
OPENINGS: Final = ".openings"

_SEAL, _ITEMS = "seal.json", "items.age"
_LIMITS: Final = Limits(total_bytes=1024 * MIB, members=200_000, member_bytes=1024 * MIB)
_OPENING_KEY: Final = b"clearhouse: openings of a sealed set"


@dataclass(frozen=True, slots=True)
class Seal:
    """What is known of a sealed set without opening it.

    ``items_digest`` is that of the encrypted items; ``shares`` has each keeper's recipient and the
    share that is encrypted to it.
    """

    commitment: Commitment
    together: int
    items_digest: str
    shares: Mapping[str, bytes]

    def as_json(self) -> dict[str, Any]:
        """``seal.json``."""
        return {
            "format": FORMAT,
            "commitment": self.commitment.as_json(),
            "together": self.together,
            "items": self.items_digest,
            "shares": {
                keeper: base64.b64encode(share).decode()
                for keeper, share in sorted(self.shares.items())
            },
        }

    def announcement(self) -> dict[str, Any]:
        """What goes into the ledger: the commitment, how many keepers, how many act together."""
        return {
            **self.commitment.as_json(),
            "keepers": len(self.shares),
            "together": self.together,
            "sealed": self.items_digest,
        }


def seal(
    files: Mapping[str, Mapping[str, bytes]],
    keepers: Sequence[str],
    *,
    together: int,
    chance: Callable[[int], bytes],
) -> tuple[bytes, Seal]:
    """Seal items, given by name with the files of each, to keepers' age recipients.

    ``chance`` returns so many random bytes.  Returns the sealed set, and what is known of it.
    Raises Invalid for fewer than two keepers, recipients that are none, and a rule that cannot be.
    """
    recipients = {keeper: _recipient(keeper) for keeper in keepers}
    if len(recipients) < LEAST_KEEPERS:
        raise Invalid(
            f"a set is sealed to at least {LEAST_KEEPERS} different keepers, or it is lost with"
            " one key",
            key="--to",
        )
    if not 1 <= together <= len(recipients):
        raise Invalid(
            f"{together} of {len(recipients)} keepers cannot act together", key="--together"
        )
    items = {name: item_of(held, where=name) for name, held in files.items()}
    bank = Bank.of((item.digest for item in items.values()), chance)
    inside = {f"{name}/{path}": data for name, held in files.items() for path, data in held.items()}
    inside[BANK_FILE] = bank.as_bytes()
    key = pyrage.x25519.Identity.generate()
    encrypted = pyrage.encrypt(write_zip(inside), [key.to_public()])
    digest = hashlib.sha256(encrypted).hexdigest()
    shares = split(str(key).encode(), shares=len(recipients), needed=together, chance=chance)
    sealed = {
        keeper: pyrage.encrypt(_share(number, shares[number], digest), [recipient])
        for number, (keeper, recipient) in enumerate(sorted(recipients.items()), 1)
    }
    about = Seal(bank.commitment, together, digest, MappingProxyType(sealed))
    head = (json.dumps(about.as_json(), indent=1) + "\n").encode()
    return write_zip({_SEAL: head, _ITEMS: encrypted}), about


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise Invalid("expected an age recipient, which begins with 'age1'", key="--to") from None


def _share(number: int, share: bytes, digest: str) -> bytes:
    return json.dumps({"number": number, "share": share.hex(), "items": digest}).encode()


# -- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """One keeper's share, decrypted."""

    keeper: str
    number: int
    value: bytes


@dataclass(frozen=True, slots=True)
class SealedSet:
    """A sealed set as it was read: what is known of it, and what is encrypted."""

    seal: Seal
    encrypted: bytes
    where: str

    @classmethod
    def parse(cls, raw: bytes, *, where: str) -> SealedSet:
        """Read a sealed set.  Raises Invalid."""
        members = read_archive(raw, where=where, limits=_LIMITS)
        if members.keys() != {_SEAL, _ITEMS}:
            raise Invalid(f"expected a sealed set: {_SEAL} and {_ITEMS}", where=where)
        about = _read_seal(members[_SEAL], f"{where}/{_SEAL}")
        if hashlib.sha256(members[_ITEMS]).hexdigest() != about.items_digest:
            raise Invalid("was altered", where=where, key=_ITEMS)
        return cls(about, members[_ITEMS], where)

    def share_of(self, identity: str) -> Share:
        """The share of whoever holds this age identity.

        Raises Invalid for what is no identity, Refused where it is no keeper's or the share is not
        of this set.
        """
        try:
            key = pyrage.x25519.Identity.from_str(identity.strip())
        except pyrage.IdentityError:
            raise Invalid("expected an age identity, 'AGE-SECRET-KEY-1...'", key="-i") from None
        keeper = str(key.to_public())
        held = self.seal.shares.get(keeper)
        if held is None:
            raise Refused(f"{self.where}: {keeper} is no keeper of this set")
        return self._share(held, key, keeper)

    def _share(self, held: bytes, key: pyrage.x25519.Identity, keeper: str) -> Share:
        try:
            document = json.loads(pyrage.decrypt(held, [key]))
            number, value = int(document["number"]), bytes.fromhex(document["share"])
            of = document["items"]
        except (pyrage.DecryptError, ValueError, KeyError, TypeError):
            raise Refused(f"{self.where}: the share of {keeper} was altered") from None
        if of != self.seal.items_digest:
            raise Refused(f"{self.where}: the share of {keeper} was made for other items")
        return Share(keeper, number, value)

    def lend(self, identity: str, to: str) -> bytes:
        """A keeper's share, encrypted to whoever opens the set with it.  Raises as share_of."""
        share = self.share_of(identity)
        document = {
            "keeper": share.keeper, "number": share.number, "share": share.value.hex(),
            "items": self.seal.items_digest,
        }  # fmt: skip
        lent: bytes = pyrage.encrypt(json.dumps(document).encode(), [_recipient(to)])
        return lent

    def lent(self, raw: bytes, identity: str) -> Share:
        """A share that another keeper lent to whoever holds this identity.

        Raises Refused where it was lent to somebody else or is not of this set.
        """
        try:
            key = pyrage.x25519.Identity.from_str(identity.strip())
            document = json.loads(pyrage.decrypt(raw, [key]))
            share = Share(
                str(document["keeper"]), int(document["number"]), bytes.fromhex(document["share"])
            )
            of = document["items"]
        except pyrage.IdentityError:
            raise Invalid("expected an age identity, 'AGE-SECRET-KEY-1...'", key="-i") from None
        except (pyrage.DecryptError, ValueError, KeyError, TypeError):
            raise Refused("the share was not lent to this identity, or was altered") from None
        if of != self.seal.items_digest or share.keeper not in self.seal.shares:
            raise Refused(f"{self.where}: the share was lent for another set")
        return share


def _read_seal(raw: bytes, where: str) -> Seal:
    try:
        document = json.loads(raw)
        if document["format"] != FORMAT:
            raise Invalid(f"expected format {FORMAT}", where=where, key="format")
        shares = {
            _known(keeper): base64.b64decode(share, validate=True)
            for keeper, share in document["shares"].items()
        }
        together, digest = document["together"], document["items"]
        commitment = Commitment.parse(document["commitment"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Invalid("is no description of a sealed set", where=where) from None
    if type(together) is not int or not 1 <= together <= len(shares) or type(digest) is not str:
        raise Invalid("is no description of a sealed set", where=where)
    return Seal(commitment, together, digest, MappingProxyType(shares))


def _known(keeper: str) -> str:
    return str(_recipient(keeper))


# -- opening -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A set that was opened: its items by name with their files, its bank, and the record of it."""

    items: Mapping[str, Item]
    files: Mapping[str, Mapping[str, bytes]]
    bank: Bank
    opening: Opening


def open_set(
    sealed: SealedSet, shares: Sequence[Share], occasion: Occasion, *, openings: Path
) -> Opened:
    """Open a set and record it.

    1. Enough different keepers have given their share.
    2. The shares make the key, and the key decrypts.
    3. What comes out is the bank that was committed to, item by item.
    4. The opening is recorded at ``openings``, whose earlier lines are checked.

    Raises Refused where keepers are missing or what comes out is not what was sealed, and what
    recording raises.
    """
    about = sealed.seal
    by_keeper = {share.keeper: share for share in shares}
    if len(by_keeper) < about.together:
        raise Refused(
            f"{sealed.where}: {about.together} of its {len(about.shares)} keepers have to act"
            f" together, and here {'is' if len(by_keeper) == 1 else 'are'} {len(by_keeper)}"
        )
    secret = join({share.number: share.value for share in by_keeper.values()})
    try:
        key = pyrage.x25519.Identity.from_str(secret.decode("ascii"))
        inside = read_archive(
            pyrage.decrypt(sealed.encrypted, [key]), where=sealed.where, limits=_LIMITS
        )
    except (pyrage.IdentityError, pyrage.DecryptError, UnicodeDecodeError):
        raise Refused(f"{sealed.where}: the shares do not make its key") from None
    bank, files = _unpacked(inside, sealed.where)
    items = {name: item_of(held, where=name) for name, held in files.items()}
    if any(name != item.name for name, item in items.items()):
        raise Refused(f"{sealed.where}: an item in it goes by another's name")
    if {item.digest for item in items.values()} != bank.salts.keys():
        raise Refused(f"{sealed.where}: its items are not those of its bank")
    if bank.commitment != about.commitment:
        raise Refused(f"{sealed.where}: its items are not those that were committed to")
    opening = record(
        openings, occasion, sorted(by_keeper), of=about.items_digest,
        key=hmac.digest(secret, _OPENING_KEY, "sha256"),
    )  # fmt: skip
    return Opened(MappingProxyType(items), MappingProxyType(files), bank, opening)


def _unpacked(inside: Mapping[str, bytes], where: str) -> tuple[Bank, dict[str, dict[str, bytes]]]:
    if BANK_FILE not in inside:
        raise Invalid(f"has no {BANK_FILE}", where=where)
    files: dict[str, dict[str, bytes]] = {}
    for name, data in inside.items():
        item, slash, path = name.partition("/")
        if slash:
            files.setdefault(item, {})[path] = data
    for name, held in files.items():
        if ITEM_FILE not in held:
            raise Invalid(f"{name} has no {ITEM_FILE}", where=where)
    return Bank.parse(inside[BANK_FILE]), files
