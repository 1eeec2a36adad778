"""The strict walk of one xAPI statement: who is in it, when, and can every byte be trusted.

Room: dataplane; pure. Two questions are answered for each row (X1, X7):

*Did we understand it?* orjson parses fast but lets a later duplicate key win and re-spells
numbers. So the value is written again: if input and output are equal once blanks are removed,
both have the same tokens, hence the same number of members in each object (no duplicate key was
dropped) and the same spelling of each number. Only other rows take the slow strict parser.

*Who is in it?* Each agent in the positions xAPI gives to agents is a person whose consent counts:
actor, object, authority, instructor, team, members of groups, the same inside a SubStatement,
and xAPI 2.0's context agents. An agent-shaped object anywhere else makes the row
`UNKNOWN_PERSON`: it never leaves.

Speed comes from memory of shapes: a dict whose keys and value types were met before at the same
position holds no new path and no new agent, so only its nested parts are visited.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, NoReturn

import orjson

from connector.dataplane.codebook import Leaf, Node
from connector.subjects.keys import Identifier, canonical, from_agent
from policies.problem import Problem

LEXEMES: Final = 1
"""A number's spelling would be lost: the row is released through the slow parser."""
UNKNOWN_PERSON: Final = 2
"""Something agent-shaped stands where we cannot tell whose consent it needs: never released."""
NO_TIME: Final = 4
"""Neither `timestamp` nor `stored`."""
MANY: Final = 8
"""More than one person; of a table without subject columns, none."""

MAX_DEPTH: Final = 64
"""Levels of nesting; deeper rows are faults."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

AGENT_KEYS: Final = frozenset({"mbox", "mbox_sha1sum", "openid", "account"})
_AGENT_TYPES: Final = frozenset({"Agent", "Group"})
_BLANKS: Final = b" \t\r\n"
_MEMORY: Final = 8_192
# Members of a statement and of its context that are visited by name.
_STATEMENT: Final = frozenset({"actor", "verb", "object", "context", "authority"})
_ROOT: Final = _STATEMENT | {"id", "timestamp"}
_CONTEXT_PERSONS: Final = frozenset({"instructor", "team", "contextAgents", "contextGroups"})
_CONTEXT: Final = _CONTEXT_PERSONS | {"contextActivities"}
_is_statement_id = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch


class RowFault(Exception):
    """A row that is quarantined; `reason` is a stable code (X7), never content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Walked(NamedTuple):
    """One understood row: `time` in microseconds since 1970 (0 with NO_TIME), `persons` the
    numbers given by the caller, in the order they were met.
    """

    id: str
    time: int
    flags: int
    persons: tuple[int, ...]
    verb: str


def parse(line: bytes) -> tuple[object, int]:
    """The value of a line, and LEXEMES where release must keep number spellings.

    Raises:
        RowFault: not-json, duplicate-key, too-deep.
    """
    try:
        value = orjson.loads(line)
        written = orjson.dumps(value)
    except orjson.JSONDecodeError:
        raise RowFault("not-json") from None
    except TypeError:  # orjson writes at most 254 levels
        raise RowFault("too-deep") from None
    if _same(line, written):
        return value, 0
    return value, _strict(line)


def _same(line: bytes, written: bytes) -> bool:
    """Equal but for blanks, those inside strings included: token for token the same text."""
    bare = line.replace(b" ", b"")
    if bare == written:
        return True
    return bare.translate(None, _BLANKS) == written.translate(None, _BLANKS)


def _strict(line: bytes) -> int:
    """The slow parser: refuses duplicate keys, and tells whether a number would be re-spelled."""
    changed = False

    def number(lexeme: str) -> None:
        nonlocal changed
        if not changed:
            changed = orjson.dumps(orjson.loads(lexeme)) != lexeme.encode()

    try:
        json.loads(
            line,
            object_pairs_hook=_unique,
            parse_int=number,
            parse_float=number,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise RowFault("too-deep") from None
    except ValueError:
        raise RowFault("not-json") from None
    return LEXEMES if changed else 0


def exact(line: bytes) -> dict[str, object]:
    """A kept LEXEMES row; its numbers are orjson.Fragments of their own spelling."""
    found: dict[str, object] = json.loads(line, parse_int=_fragment, parse_float=_fragment)
    return found


def _fragment(lexeme: str) -> orjson.Fragment:
    return orjson.Fragment(lexeme.encode())


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RowFault("duplicate-key")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise RowFault("not-json")


def kept(written: bytes) -> bytes:
    """A copy, for whoever remembers what orjson wrote: its own bytes hold a 4 KiB block each."""
    return bytes(memoryview(written))


def same_statement(one: bytes, other: bytes) -> bool:
    """Whether two rows are one statement: equal without `stored` and `authority` (X7)."""
    return _essence(one) == _essence(other)


def _essence(line: bytes) -> bytes:
    value = orjson.loads(line)
    for name in ("stored", "authority"):
        value.pop(name, None)
    value["id"] = str(value["id"]).lower()
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def people(statement: dict[str, object]) -> dict[str, int]:
    """The canonical identifiers of a walked statement's persons, in the order of `persons`."""
    found: dict[str, int] = {}
    walker = Walker(lambda identifier: found.setdefault(canonical(identifier), len(found)))
    walker.persons(statement)
    return found


def micros(text: object) -> int | None:
    """Microseconds since 1970 of an ISO 8601 date-time with an offset, else None."""
    if not isinstance(text, str):
        return None
    try:
        instant = datetime.fromisoformat(text)
        return (instant - EPOCH) // MICROSECOND
    except (ValueError, TypeError, OverflowError):  # TypeError: no offset
        return None


# ---------------------------------------------------------------------------- persons and paths


class _Shape:
    """What to do for a dict of known keys and types: texts to look at, containers to enter."""

    __slots__ = ("flags", "nested", "texts", "typed")

    def __init__(self) -> None:
        self.flags = 0
        self.typed = False
        self.texts: list[tuple[str, Leaf]] = []
        self.nested: list[tuple[str, Node]] = []


class Walker:
    """Walks the rows of one revision; `root` collects the codebook, `person` gives numbers.

    `person(identifier)` returns the dense number of a person and raises Problem for a malformed
    identifier.
    """

    def __init__(self, person: Callable[[Identifier], int]) -> None:
        self.root = Node()
        self.root.at("id").mark("uuid")
        self._person = person
        self._timed = False
        self._agents: dict[bytes, tuple[int, ...] | None] = {}

    def walk(self, line: bytes) -> Walked:
        """One statement.

        Raises:
            RowFault: not-json, duplicate-key, too-deep, not-an-object, id-invalid, actor-invalid,
                time-invalid.
        """
        value, flags = parse(line)
        if type(value) is not dict:
            raise RowFault("not-an-object")
        id = value.get("id")
        if type(id) is not str or not _is_statement_id(id):
            raise RowFault("id-invalid")
        time = self._time(value)
        if time is None:
            flags |= NO_TIME
        met: list[int] = []
        flags |= self._statement(self.root, value, met, 0)
        persons = tuple(met) if len(met) == 1 else tuple(dict.fromkeys(met))
        if len(persons) > 1:
            flags |= MANY
        verb = value.get("verb")
        name = verb.get("id") if type(verb) is dict else None
        return Walked(id.lower(), time or 0, flags, persons, name if type(name) is str else "")

    def persons(self, statement: dict[str, object]) -> None:
        """Meet the persons of a statement that was walked before, in the same order."""
        self._statement(self.root, statement, [], 0)

    def _time(self, value: Mapping[str, object]) -> int | None:
        for name in ("timestamp", "stored"):
            text = value.get(name)
            if text is not None:
                time = micros(text)
                if time is None:
                    raise RowFault("time-invalid")
                if name == "timestamp" and not self._timed:
                    self._timed = True
                    self.root.at("timestamp").mark("dateTime")
                return time
        return None

    def _statement(
        self, node: Node, value: dict[str, object], persons: list[int], depth: int
    ) -> int:
        """A statement or, with depth > 0, a SubStatement: returns flags, adds persons."""
        actors = self._agent(value.get("actor"))
        flags = 0
        if actors:
            persons.extend(actors)
            if depth or node.kids.get("actor") is None:
                node.at("actor").mark("agent")
        elif depth:
            flags = UNKNOWN_PERSON
        else:
            raise RowFault("actor-invalid")
        kids = node.kids  # asked directly: `at` is for positions met for the first time
        if "verb" in value:
            flags |= self._known(kids.get("verb") or node.at("verb"), value["verb"])
        if "object" in value:
            kid = kids.get("object") or node.at("object")
            flags |= self._object(kid, value["object"], persons, depth)
        if "context" in value:
            kid = kids.get("context") or node.at("context")
            flags |= self._context(kid, value["context"], persons)
        if "authority" in value:
            flags |= self._persons(node.at("authority"), value["authority"], persons)
        return flags | self._members(node, value, _STATEMENT if depth else _ROOT)

    def _object(self, node: Node, value: object, persons: list[int], depth: int) -> int:
        kind = value.get("objectType") if type(value) is dict else None
        if type(value) is dict and kind in ("Agent", "Group"):
            return self._persons(node, value, persons)
        if type(value) is dict and kind == "SubStatement":
            if depth:  # xAPI forbids a SubStatement in a SubStatement
                return UNKNOWN_PERSON
            return self._statement(node, value, persons, depth + 1)
        return self._known(node, value)

    def _context(self, node: Node, value: object, persons: list[int]) -> int:
        if type(value) is not dict:
            return self._any(node, value)
        flags = 0
        if "contextActivities" in value:
            kid = node.kids.get("contextActivities") or node.at("contextActivities")
            flags = self._known(kid, value["contextActivities"])
        if not _CONTEXT_PERSONS.isdisjoint(value):
            for name in ("instructor", "team"):
                if name in value:
                    flags |= self._persons(node.at(name), value[name], persons)
            for name, member in (("contextAgents", "agent"), ("contextGroups", "group")):
                if name in value:
                    flags |= self._context_agents(node.at(name), member, value[name], persons)
        return flags | self._members(node, value, _CONTEXT)

    def _context_agents(self, node: Node, member: str, value: object, persons: list[int]) -> int:
        """The lists of xAPI 2.0, of {agent|group, relevantTypes}."""
        if type(value) is not list:
            return UNKNOWN_PERSON
        flags = 0
        for item in value:
            if type(item) is not dict or member not in item:
                return UNKNOWN_PERSON
            rest = {key: part for key, part in item.items() if key not in (member, "objectType")}
            flags |= self._persons(node.at("-", member), item[member], persons)
            flags |= self._dict(node.at("-"), rest)
        return flags

    def _persons(self, node: Node, value: object, persons: list[int]) -> int:
        """A position that xAPI gives to an agent: one that names nobody withholds the row."""
        found = self._agent(value)
        if not found:
            return UNKNOWN_PERSON
        persons.extend(found)
        node.mark("agent")
        return 0

    def _agent(self, value: object) -> tuple[int, ...] | None:
        """An Agent's or Group's persons: itself if identified, all members. None: invalid."""
        if type(value) is not dict:
            return None
        key = orjson.dumps(value)
        try:
            return self._agents[key]
        except KeyError:
            pass
        found = self._read_agent(value)
        if len(self._agents) >= 8 * _MEMORY:
            self._agents.clear()
        self._agents[kept(key)] = found
        return found

    def _read_agent(self, value: Mapping[str, object]) -> tuple[int, ...] | None:
        members = value.get("member")
        if value.get("objectType", "Agent") not in _AGENT_TYPES:
            return None
        found: list[int] = []
        if value.get("objectType") != "Group":
            if members is not None:
                return None
        elif members is not None:
            if type(members) is not list:
                return None
            for member in members:
                if type(member) is not dict or member.get("objectType", "Agent") != "Agent":
                    return None
                persons = self._read_agent(member)
                if not persons:
                    return None
                found.extend(persons)
        if AGENT_KEYS & value.keys():
            try:
                found.append(self._person(from_agent(value)))
            except Problem:
                return None
        return tuple(found) or None

    # ------------------------------------------------------------------ positions without agents

    def _known(self, node: Node, value: object) -> int:
        """As `_any`, for parts that repeat (verbs, activities): each distinct one walked once."""
        if type(value) is not dict:
            return self._any(node, value)
        key = orjson.dumps(value)
        flags = node.known.get(key)
        if flags is None:
            flags = self._dict(node, value)
            if len(node.known) >= _MEMORY:
                node.known.clear()
            node.known[kept(key)] = flags
        return flags

    def _members(self, node: Node, value: dict[str, object], skip: frozenset[str]) -> int:
        """The members of a statement or context that are not visited by name (`skip`)."""
        key = tuple(value)
        rest = node.shapes.get(key)
        if rest is None:
            rest = [(name, node.at(name)) for name in value if name not in skip]
            _remember(node, key, rest)
        flags = 0 if AGENT_KEYS.isdisjoint(value) else UNKNOWN_PERSON
        for name, kid in rest:
            flags |= self._any(kid, value[name])
        return flags

    def _dict(self, node: Node, value: dict[str, object]) -> int:
        """Any other object: of a known shape, only its texts and nested parts are looked at."""
        key = (*value, *map(type, value.values()))
        shape = node.shapes.get(key)
        if shape is None:
            shape = self._learn(node, value)
            _remember(node, key, shape)
        flags: int = shape.flags
        for name, leaf in shape.texts:
            leaf.see_text(value[name])
            if leaf.settled:
                shape.texts = [entry for entry in shape.texts if entry[1] is not leaf]
        for name, kid in shape.nested:
            flags |= self._any(kid, value[name])
        if shape.typed and value["objectType"] in ("Agent", "Group"):
            flags |= UNKNOWN_PERSON
        return flags

    def _learn(self, node: Node, value: dict[str, object]) -> _Shape:
        if len(node.path) > MAX_DEPTH:
            raise RowFault("too-deep")
        shape = _Shape()
        keys = value.keys()
        if AGENT_KEYS & keys or keys >= {"homePage", "name"}:
            shape.flags = UNKNOWN_PERSON
        shape.typed = "objectType" in value
        for name, item in value.items():
            if type(item) is str:
                leaf = node.leaf_at(name)
                leaf.see_text(item)
                if not leaf.settled:
                    shape.texts.append((name, leaf))
            elif type(item) is dict or type(item) is list:
                shape.nested.append((name, node.at(name)))
            else:
                node.leaf_at(name).see(item)
        return shape

    def _any(self, node: Node, value: object) -> int:
        if type(value) is dict:
            return self._dict(node, value)
        if type(value) is not list:
            node.leaf_here().see(value)
            return 0
        if len(node.path) > MAX_DEPTH:
            raise RowFault("too-deep")
        kid = node.at("-")
        flags = 0
        for item in value:
            flags |= self._any(kid, item)
        return flags


def _remember(node: Node, key: tuple[object, ...], shape: object) -> None:
    if len(node.shapes) >= _MEMORY:
        node.shapes.clear()
    node.shapes[key] = shape
