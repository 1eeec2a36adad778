"""What is left of a policy for each row: a small typed predicate, independent of any engine.

Partial evaluation: what is known when the agreement is made is folded at once, what is known when
a part is released (the clock, a membership) is bound then, and only tests on columns of a row are
left. A predicate is a test, a constant, or a group of predicates; it answers True, False or None
("cannot be told"), and only True lets a row leave. It means exactly what `decide` means:
`all`, `any` and `one` are its `and`, `or` and `xone`, and a test compares as its operand does.

`holds` evaluates a predicate in pure Python on one row. An engine with columns of its own says how
it reads one test and gets the whole as a function (`compiled`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from policies import operands, phrases
from policies.jcs import jcs
from policies.model import Constraint, Value
from policies.naming import value_node
from policies.problem import Language
from policies.strict import Members
from policies.vocabulary import ODRL

Truth = bool | None
Kind = Literal["all", "any", "one"]
Row = Mapping[str, tuple[Value, ...]]
"""The values of a row by column (operand IRI); an absent column has no value."""
R = TypeVar("R")

KINDS: Final[Mapping[str, Kind]] = {ODRL + "and": "all", ODRL + "or": "any", ODRL + "xone": "one"}
_KINDS: Final[tuple[Kind, ...]] = ("all", "any", "one")
_CODE: Final = "policy-plan-document"
_WORDS: Final[Mapping[Kind, phrases.Phrase]] = {
    "all": ("toutes ces conditions", "all of these"),
    "any": ("au moins une de ces conditions", "at least one of these"),
    "one": ("exactement une de ces conditions", "exactly one of these"),
}
_MAX_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison: column (an operand's IRI), operator IRI, required values."""

    __test__ = False  # no test case, whatever pytest thinks of the name

    column: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Const:
    """What no row changes any more."""

    truth: Truth


@dataclass(frozen=True, slots=True)
class Group:
    """Predicates under `all`, `any` or `one`, in a fixed order that says nothing."""

    kind: Kind
    parts: "tuple[Predicate, ...]"


Predicate = Test | Const | Group

TRUE: Final = Const(truth=True)
FALSE: Final = Const(truth=False)
UNKNOWN: Final = Const(truth=None)


def test(constraint: Constraint) -> Test:
    """The test that a constraint makes; the order of its values says nothing."""
    ordered = sorted(constraint.right, key=lambda value: jcs(value_node(value)))
    return Test(constraint.left, constraint.operator, tuple(ordered))


def group(kind: Kind, parts: Sequence[Predicate]) -> Predicate:
    """The simplest predicate that answers as these parts do under `all`, `any` or `one`."""
    if kind == "one":
        return _exactly_one(parts)
    decisive, idle = (FALSE, TRUE) if kind == "all" else (TRUE, FALSE)
    flat: list[Predicate] = []
    for part in parts:
        flat += part.parts if isinstance(part, Group) and part.kind == kind else (part,)
    kept = {_key(part): part for part in flat if part != idle}
    if decisive in kept.values():
        return decisive
    if len(kept) < 2:
        return next(iter(kept.values()), idle)
    return Group(kind, tuple(kept[key] for key in sorted(kept)))


def bind(predicate: Predicate, known: Callable[[Test], Predicate]) -> Predicate:
    """The predicate with each test replaced by what is known of it (or by itself), simplified."""
    if isinstance(predicate, Test):
        return known(predicate)
    if isinstance(predicate, Const):
        return predicate
    return group(predicate.kind, [bind(part, known) for part in predicate.parts])


def compiled(
    predicate: Predicate, read: Callable[[Test], Callable[[R], Truth]]
) -> Callable[[R], Truth]:
    """The predicate as a function of an engine's own rows; `read` says how one test is asked."""
    if isinstance(predicate, Test):
        return read(predicate)
    if isinstance(predicate, Const):
        truth = predicate.truth
        return lambda _: truth
    parts = [compiled(part, read) for part in predicate.parts]
    combine = _COMBINED[predicate.kind]
    return lambda row: combine([part(row) for part in parts])


def holds(predicate: Predicate, row: Row) -> Truth:
    """What the predicate says of one row, in pure Python."""
    return compiled(predicate, _read)(row)


def tests(predicate: Predicate) -> Iterator[Test]:
    """Every test of a predicate."""
    if isinstance(predicate, Test):
        yield predicate
    elif isinstance(predicate, Group):
        for part in predicate.parts:
            yield from tests(part)


def compare(one: Test, seen: tuple[Value, ...] | None) -> Truth:
    """What a test says of the value of its column; None where there is no value or no operand."""
    operand = operands.find(one.column)
    if operand is None or seen is None or one.operator not in operand.operators:
        return None
    return operand.compare(one.operator, seen, one.values)


def document(predicate: Predicate) -> dict[str, object]:
    """The predicate as JSON, for the plan's `rows.where`."""
    if isinstance(predicate, Test):
        required = [value_node(value) for value in predicate.values]
        return {"column": predicate.column, "operator": predicate.operator, "values": required}
    if isinstance(predicate, Const):
        return {"is": predicate.truth}
    return {predicate.kind: [document(part) for part in predicate.parts]}


def read(data: object, where: str, depth: int = 0) -> Predicate:
    """The predicate that a JSON value is.

    Raises:
        Problem: `policy-plan-document` with the path and what was expected there.
    """
    names = frozenset({"column", "operator", "values", "is", *_KINDS})
    members = Members(data, _CODE, where, frozenset(), names)
    found = [kind for kind in _KINDS if kind in members]
    if depth > _MAX_DEPTH:
        raise members.problem("", "at most {depth} groups in one another", depth=_MAX_DEPTH)
    if len(found) == 1:
        parts = members.value(found[0])
        if not isinstance(parts, list) or (isinstance(data, Mapping) and len(data) != 1):
            raise members.problem(found[0], "a list of conditions, and nothing beside it")
        inner = (read(each, f"{where}.{found[0]}[{i}]", depth + 1) for i, each in enumerate(parts))
        return Group(found[0], tuple(inner))
    if "is" in members:
        truth = members.value("is")
        if truth is not None and not isinstance(truth, bool):
            raise members.problem("is", "true, false or null")
        return Const(truth)
    return _read_test(data, where)


def sentence(predicate: Predicate, lang: Language) -> str:
    """The predicate in words, without a full stop."""
    if isinstance(predicate, Test):
        said = Constraint(predicate.column, predicate.operator, predicate.values)
        return phrases.constraint(said, lang)
    if isinstance(predicate, Const):
        words = {True: ("toujours", "always"), False: ("jamais", "never")}
        unknown = ("impossible à établir", "cannot be told")
        return phrases.pick(unknown if predicate.truth is None else words[predicate.truth], lang)
    inner = "; ".join(sentence(part, lang) for part in predicate.parts)
    return f"{phrases.pick(_WORDS[predicate.kind], lang)} [{inner}]"


def _exactly_one(parts: Sequence[Predicate]) -> Predicate:
    """Two parts that became equal still count twice: they were two constraints."""
    kept = sorted((part for part in parts if part != FALSE), key=_key)
    if kept.count(TRUE) > 1:
        return FALSE
    if all(isinstance(part, Const) for part in kept):
        return Const(_one([part.truth for part in kept if isinstance(part, Const)]))
    return kept[0] if len(kept) == 1 else Group("one", tuple(kept))


def _key(predicate: Predicate) -> bytes:
    return jcs(document(predicate))


def _read(one: Test) -> Callable[[Row], Truth]:
    return lambda row: compare(one, row.get(one.column))


def _read_test(data: object, where: str) -> Test:
    required = frozenset({"column", "operator", "values"})
    members = Members(data, _CODE, where, required, frozenset())
    values = members.value("values")
    if not isinstance(values, list) or not values:
        raise members.problem("values", "a list of values")
    return Test(
        members.iri("column"),
        members.iri("operator"),
        tuple(_value(each, f"{where}.values[{i}]") for i, each in enumerate(values)),
    )


def _value(data: object, where: str) -> Value:
    members = Members(data, _CODE, where, frozenset(), frozenset({"id", "value", "type"}))
    if "id" in members:
        if isinstance(data, Mapping) and len(data) != 1:
            raise members.problem("id", "nothing beside it")
        return Value(members.iri("id"))
    literal = Members(data, _CODE, where, frozenset({"value", "type"}), frozenset())
    return Value(literal.text("value"), literal.iri("type"))


def _all(answers: list[Truth]) -> Truth:
    if False in answers:
        return False
    return None if None in answers else True


def _any(answers: list[Truth]) -> Truth:
    if True in answers:
        return True
    return None if None in answers else False


def _one(answers: list[Truth]) -> Truth:
    true = answers.count(True)
    if true > 1:
        return False
    return None if None in answers else true == 1


_COMBINED: Final[Mapping[Kind, Callable[[list[Truth]], Truth]]] = {
    "all": _all,
    "any": _any,
    "one": _one,
}
