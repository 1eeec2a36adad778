"""Who consents in the demo: a rule anybody can compute, and the file that says it to the node."""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COLUMNS: Final = (
    "event_id",
    "id_type",
    "id_value",
    "id_home",
    "recipient",
    "purpose",
    "category",
    "status",
    "at",
    "valid_until",
    "notice",
)
GIVEN_AT: Final = "2025-03-01T08:00:00Z"
_PERCENT: Final = 70


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """A learner as the platform knows them: the actor's account of an xAPI statement."""

    home: str
    name: str


@dataclass(frozen=True, slots=True)
class Scope:
    """To whom, for what, on which data a consent is given, and on the word of which notice."""

    recipient: str
    purpose: str
    category: str
    notice: str


def consents(name: str, recipient: str = "") -> bool:
    """Whether the learner of this account name consents: about 70 in a hundred do.

    The others are not in the file at all: saying no and saying nothing look the same (DESIGN 1.7).
    The lab is asked for under no name; what another `recipient` is told does not depend on it.
    """
    word = f"preau {recipient}:{name}" if recipient else f"preau:{name}"
    return int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) % 100 < _PERCENT


def write(path: Path, accounts: Iterable[Account], scope: Scope, recipient: str = "") -> int:
    """Write the consents as a file for `preau consent import`; how many there are."""
    given = [one for one in sorted(set(accounts)) if consents(one.name, recipient)]
    prefix = f"demo-consent-{recipient}" if recipient else "demo-consent"
    _write(path, given, scope, "given", GIVEN_AT, prefix)
    return len(given)


def write_withdrawal(path: Path, account: Account, scope: Scope, at: str) -> None:
    """Write down, in the same columns, who withdrew during the transfer."""
    _write(path, [account], scope, "withdrawn", at, "demo-withdrawal")


def _write(
    path: Path, accounts: Iterable[Account], scope: Scope, status: str, at: str, prefix: str
) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(COLUMNS)
        for number, account in enumerate(accounts, start=1):
            who = ("account", account.name, account.home)
            what = (scope.recipient, scope.purpose, scope.category)
            event = f"{prefix}-{number:06d}"
            rows.writerow((event, *who, *what, status, at, "", scope.notice))
