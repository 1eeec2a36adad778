"""What a row looks like after the treatments that the plan announced, to compare two sides.

A row becomes three things: whose it is, the ids in it (a list, in the order of their places), and
all the rest as text. Learners and ids are compared by bijection (see `matching`), the rest
exactly. Independent of the rooms that release data: plain walks over plain JSON.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from connector.cli.story.consents import Account
from connector.cli.story.source import instant

Json = dict[str, Any]

_STEPS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_MARK: Final = "*"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is compared."""

    learner: str
    ids: tuple[str, ...]
    rest: str


@dataclass(frozen=True, slots=True)
class Announced:
    """The agreed places and their treatments, as the plan (`agreements/ID/plan`) names them."""

    treatments: Mapping[str, str | None]
    time: str

    @classmethod
    def read(cls, plan: Mapping[str, Any]) -> "Announced":
        """From the document of a plan."""
        places = {str(field["pointer"]): field.get("treatment") for field in plan["fields"]}
        return cls(places, str(plan["treatments"].get("time", "exact")))

    def row(self, value: Json, *, treat: bool) -> Row:
        """A row for comparison; `treat` for one of the source, whose times are still exact."""
        ids: list[str] = []
        kept = self._kept(value, "", ids, treat=treat)
        rest = json.dumps(kept, sort_keys=True, ensure_ascii=False)
        return Row(learner_of(value), tuple(ids), rest)

    def beyond(self, value: object, pointer: str = "") -> Iterable[str]:
        """The places of a received row that nobody agreed on."""
        if self._is_leaf(value, pointer):
            return
        if isinstance(value, dict):
            for key, part in value.items():
                yield from self.beyond(part, f"{pointer}/{_escaped(key)}")
        elif isinstance(value, list):
            for part in value:
                yield from self.beyond(part, pointer + "/-")
        else:
            yield pointer

    def _kept(self, value: object, pointer: str, ids: list[str], *, treat: bool) -> object:
        """The agreed leaves of a value; containers that hold none vanish, on both sides alike."""
        if self._is_leaf(value, pointer):
            return self._leaf(value, pointer, ids, treat=treat)
        if isinstance(value, dict):
            members = {
                key: self._kept(value[key], f"{pointer}/{_escaped(key)}", ids, treat=treat)
                for key in sorted(value)
            }
            return {key: part for key, part in members.items() if part is not None} or None
        if isinstance(value, list):
            parts = [self._kept(part, pointer + "/-", ids, treat=treat) for part in value]
            return [part for part in parts if part is not None] or None
        return None

    def _is_leaf(self, value: object, pointer: str) -> bool:
        """Whether an agreed value stands here: an agent as a whole, otherwise no container."""
        if pointer not in self.treatments:
            return False
        return self.treatments[pointer] == "pseudonym" or not isinstance(value, dict | list)

    def _leaf(self, value: object, pointer: str, ids: list[str], *, treat: bool) -> object:
        treatment = self.treatments[pointer]
        if treatment == "pseudonym":
            if pointer != "/actor":  # others than the learner: compared by bijection like ids
                ids.append(learner_of({"actor": value}))
            return _MARK
        if treatment == "rekey" and isinstance(value, str):
            ids.append(value.lower())
            return _MARK
        if treatment == "time" and treat and isinstance(value, str):
            return self._cut(value)
        # A null that was agreed is a value like any other; absence is told apart by a list.
        return [None] if value is None else value

    def _cut(self, text: str) -> str:
        moment = instant(text)
        step = _STEPS.get(self.time)
        if step is not None:
            midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
            moment -= (moment - midnight) % step
        return moment.isoformat().replace("+00:00", "Z")


def learner_of(value: Json) -> str:
    """Who did it, as this side knows them: account, or whatever else identifies the actor."""
    actor = value.get("actor") or {}
    account = actor.get("account")
    if isinstance(account, dict):
        return json.dumps([account.get("homePage"), account.get("name")])
    return json.dumps(actor, sort_keys=True)


def learner_key(account: Account) -> str:
    """The name under which `learner_of` knows an account."""
    return json.dumps([account.home, account.name])


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
