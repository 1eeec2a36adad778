"""Projections: the agreed paths of a plan as a tree, and a row cut down to them.

Room: dataplane; pure. `Projection.row` walks the agreed paths, never the row: what nobody agreed
to is not looked at. Agents are opaque: only an agreed agent field releases one, and then as a
pseudonym. Texts that are wholly a UUID are re-keyed (ids of activities and verbs excepted: they
name things, not events), texts that are wholly a date-time are generalised, wherever they stand.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

import orjson

from connector.dataplane.codebook import DATE_TIME, UUID
from connector.dataplane.rows import AGENT_KEYS, EPOCH, MICROSECOND, kept
from connector.dataplane.treat import PRECISIONS, generalise
from policies.plan import Codebook, Plan, PlanField
from policies.plan.residue import Predicate
from policies.problem import Problem

NameOf = Callable[[Mapping[str, object]], str]
"""The pseudonym of an identified agent."""

_is_uuid = UUID.fullmatch
Json = Any
"""A parsed JSON value."""

_MISSING: Final = object()
_DATE_LENGTH: Final = 10
_MAX_TIME: Final = 40
_MEMORY: Final = 4_096
# Parts that repeat from row to row: each distinct one is cut down once for a part.
_REPEATED: Final = frozenset({("verb",), ("object",), ("context", "contextActivities")})
_UUID_LENGTHS: Final = frozenset({36, 45})
# Ids that name a statement. Every other member called "id" names a thing.
_STATEMENT_IDS: Final = frozenset({("id",), ("context", "statement", "id")})


class Rekeyed(NamedTuple):
    """A place in a row under construction that waits for its re-keyed id."""

    holder: Json
    key: str | int
    text: str

    def put(self, text: str) -> None:
        """Write the released form."""
        self.holder[self.key] = text


class _Node:
    """One agreed position: `leaf` releases a scalar here, `agent` an agent."""

    __slots__ = ("agent", "kids", "leaf", "repeated", "thing")

    def __init__(self) -> None:
        self.repeated = False
        self.agent = False
        self.leaf = False
        self.thing = False
        self.kids: dict[str, _Node] = {}


@dataclass(frozen=True, slots=True)
class Projection:
    """A compiled plan: agreed paths, record time [first, end) in microseconds, treatments.

    `home` is the homePage of released accounts (the agreement's IRI), `precision` one of
    `treat.PRECISIONS`.
    """

    root: _Node
    first: int | None
    end: int | None
    home: str
    precision: str
    where: Predicate | None = None

    @classmethod
    def compile(cls, plan: Plan) -> "Projection":
        """The projection of a plan for xAPI rows.

        Raises:
            Problem: `dataplane-plan-unsupported`: a plan without treatments (xAPI rows are
                always about persons), for a table, or with an unknown time precision.
        """
        if plan.treatments is None:
            raise Problem("dataplane-plan-unsupported", what="treatments")
        found = cls.of(
            plan.fields,
            home=plan.agreement,
            precision=plan.treatments.time,
            first=micros(plan.rows.start),
            end=micros(plan.rows.end),
        )
        return replace(found, where=plan.rows.where)

    @classmethod
    def of(
        cls,
        fields: Iterable[PlanField],
        *,
        home: str,
        precision: str,
        first: int | None = None,
        end: int | None = None,
    ) -> "Projection":
        """A projection from agreed fields; raises as `compile`."""
        if precision not in PRECISIONS:
            raise Problem("dataplane-plan-unsupported", what=f"time: {precision[:40]}")
        root = _Node()
        # In code point order of the pointers: released members always stand in this order.
        for field in sorted(fields, key=lambda field: field.pointer or ""):
            if field.pointer is None or not field.pointer.startswith("/"):
                raise Problem("dataplane-plan-unsupported", what=field.name[:200])
            path = _path(field.pointer)
            node = root
            for depth, key in enumerate(path, start=1):
                node = node.kids.setdefault(key, _Node())
                node.repeated = path[:depth] in _REPEATED
            node.agent = field.type == "agent"
            node.leaf = not node.agent
            node.thing = (
                path[-1] == "id" and path not in _STATEMENT_IDS and field.treatment != "rekey"
            )
        return cls(root, first, end, home, precision)

    def time(self, text: str) -> object:
        """The generalised form of a text that is wholly a date-time (ISO 8601, no offset is read
        as UTC), the text itself when it is something else, nothing under "none".
        """
        if len(text) == _DATE_LENGTH:
            return _MISSING if self.precision == "none" and _is_date(text) else text
        if text[8] not in "Tt " and text[10] not in "Tt ":
            return text
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            # Shaped like a date-time and not understood: a leap second, say. It does not leave.
            return _MISSING if DATE_TIME.fullmatch(text) else text
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        try:
            done = generalise((instant - EPOCH) // MICROSECOND, self.precision)
        except OverflowError:  # its zone leads out of the years that exist
            return _MISSING
        return _MISSING if done is None else done


def check_fields(plan: Plan, codebook: Codebook) -> None:
    """Whether a revision still has every agreed field, of the agreed type (X8).

    Raises:
        Problem: `dataplane-plan-drift`, naming the field: the release must be suspended.
    """
    known = {(field.pointer, field.column): field.type for field in codebook}
    for field in plan.fields:
        if known.get((field.pointer, field.column)) != field.type:
            raise Problem("dataplane-plan-drift", name=field.name)


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _path(pointer: str) -> tuple[str, ...]:
    parts = pointer[1:].split("/")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def micros(instant: datetime | None) -> int | None:
    """Microseconds since 1970 of an edge of record time; None stays none."""
    return None if instant is None else (instant - EPOCH) // MICROSECOND


class Cutter:
    """Cuts the rows of one part down to a projection.

    `slots` gathers the re-keyed ids to be filled in by the caller.
    """

    __slots__ = ("_known", "_name_of", "_named", "_projection", "slots")

    def __init__(self, projection: Projection) -> None:
        self._projection = projection
        self._known: dict[tuple[_Node, bytes], object] = {}
        self._name_of: NameOf = _nobody
        self._named = False
        self.slots: list[Rekeyed] = []

    def row(self, value: dict[str, Json], name_of: NameOf) -> object:
        """The released form of a statement, an object for orjson to write."""
        self._name_of = name_of
        found = self._members(self._projection.root, value)
        return {} if found is _MISSING else found

    def _repeated(self, node: _Node, value: dict[str, Json]) -> object:
        """As `_members`; what holds neither a person nor an id of its own is made once."""
        key = (node, orjson.dumps(value))
        known = self._known.get(key)
        if known is not None:
            return known
        waiting = len(self.slots)
        self._named = False
        done = self._members(node, value)
        if len(self.slots) > waiting or self._named:
            return done
        if done is not _MISSING:
            done = orjson.Fragment(kept(orjson.dumps(done)))
        if len(self._known) >= _MEMORY:
            self._known.clear()
        self._known[node, kept(key[1])] = done
        return done

    def _members(self, node: _Node, value: dict[str, Json]) -> object:
        """The agreed members of an object."""
        out: dict[str, object] = {}
        reference = value.get("objectType") == "StatementRef"
        for key, kid in node.kids.items():
            if key in value:
                done = self._value(kid, value[key], out, key, thing=kid.thing and not reference)
                if done is not _MISSING:
                    out[key] = done
        return out or _MISSING

    def _value(
        self, node: _Node, value: Json, holder: Json, key: str | int, *, thing: bool
    ) -> object:
        if type(value) is dict:
            if is_agent(value):
                return self._agent(value) if node.agent else _MISSING
            if node.repeated:
                return self._repeated(node, value)
            return self._members(node, value) if node.kids else _MISSING
        if type(value) is list:
            return self._items(node.kids.get("-"), value)
        if not node.leaf:
            return _MISSING
        if type(value) is str:
            return self._text(value, holder, key, thing=thing)
        return value

    def _items(self, node: _Node | None, value: list[Json]) -> object:
        """The agreed parts of an array, in order; elements of which nothing is agreed vanish."""
        if node is None:
            return _MISSING
        out: list[object] = []
        for item in value:
            done = self._value(node, item, out, len(out), thing=node.thing)
            if done is not _MISSING:
                out.append(done)
        return out or _MISSING

    def _text(self, value: str, holder: Json, key: str | int, *, thing: bool) -> object:
        length = len(value)
        if not thing and length in _UUID_LENGTHS and _is_uuid(value):
            self.slots.append(Rekeyed(holder, key, value))
            return value
        if 10 <= length <= _MAX_TIME and value[:2].isdigit():
            return self._projection.time(value)
        return value

    def _agent(self, value: Mapping[str, Json]) -> object:
        """An Agent or Group under pseudonyms; names and everything else are gone."""
        self._named = True
        out: dict[str, object] = {"objectType": "Agent"}
        if not AGENT_KEYS.isdisjoint(value):
            out["account"] = {"homePage": self._projection.home, "name": self._name_of(value)}
        if value.get("objectType") == "Group":
            out["objectType"] = "Group"
            if value.get("member"):
                out["member"] = [self._agent(member) for member in value["member"]]
        return out


def _nobody(_: Mapping[str, Json]) -> str:
    raise LookupError("no row is being cut")


def is_agent(value: Mapping[str, Json]) -> bool:
    """Whether an object names or describes a person or group of persons."""
    return not AGENT_KEYS.isdisjoint(value) or value.get("objectType") in ("Agent", "Group")
