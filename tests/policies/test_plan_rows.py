"""What is left of a policy for each row: folded in stages, and what evaluating it whole says."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policies import odrl, operands, plan
from policies.application import read
from policies.decision import Decision
from policies.evaluate import Fact, Request, category, decide, groups
from policies.model import (
    DATETIME,
    AnyConstraint,
    Constraint,
    LogicalConstraint,
    Policy,
    atoms,
    iri,
)
from policies.naming import name
from policies.plan import ConsentScope, DatasetFacts, Field, Rows, needs, residue, specialise
from policies.plan.residue import FALSE, TRUE, UNKNOWN, Const, Group, Predicate, Test, Truth
from policies.problem import LANGUAGES, Problem
from policies.values import literal, show
from policies.vocabulary import DPV, ODRL, PREAU

LAB, DATASET = "did:web:lab.example", "https://node.example/datasets/traces"
AGREED = datetime(2026, 6, 1, tzinfo=UTC)
YEARS = [datetime(year, 1, 1, tzinfo=UTC) for year in (2025, 2026, 2027, 2028)]
RESEARCH, OWN = DPV + "AcademicResearch", PREAU + "EducationResearch"
GIVEN, WITHDRAWN = iri(DPV + "ConsentGiven"), iri(DPV + "ConsentWithdrawn")
FREE, OBJECTED = iri(PREAU + "NoOpenObjection"), iri(PREAU + "ObjectionLodged")
TIME, CONSENT, OBJECTION = (
    PREAU + word for word in ("recordTime", "consentStatus", "objectionStatus")
)


def atom(left: str, operator: str, *right: Any) -> Constraint:
    read = [
        literal(show(each), DATETIME) if isinstance(each, datetime) else iri(each) for each in right
    ]
    return Constraint(left, ODRL + operator, tuple(read))


def tree(operator: str, *parts: AnyConstraint) -> LogicalConstraint:
    return LogicalConstraint(ODRL + operator, parts)


ORDERS = st.sampled_from(["lt", "lteq", "gt", "gteq"])
ABOUT_ROWS = st.one_of(
    st.builds(lambda op, at: atom(TIME, op, at), ORDERS, st.sampled_from(YEARS)),
    st.just(atom(CONSENT, "eq", DPV + "ConsentGiven")),
    st.just(atom(OBJECTION, "isAnyOf", PREAU + "NoOpenObjection")),
)
ABOUT_NOW = st.one_of(
    st.builds(lambda op, at: atom(ODRL + "dateTime", op, at), ORDERS, st.sampled_from(YEARS)),
    st.sampled_from([atom(PREAU + "membership", "isPartOf", f"group:{g}") for g in "ab"]),
)
FIXED = st.sampled_from(
    [
        atom(ODRL + "purpose", "isA", RESEARCH),
        atom(ODRL + "purpose", "isA", DPV + "Marketing"),
        atom(PREAU + "dataCategory", "isA", DPV + "PersonalData"),
        atom(PREAU + "timePrecision", "isA", PREAU + "Hour"),
        atom(PREAU + "timePrecision", "eq", PREAU + "Day"),
        atom(PREAU + "assignee", "eq", LAB),
    ]
)
CONSTRAINTS = st.recursive(
    st.one_of(ABOUT_ROWS, ABOUT_ROWS, ABOUT_NOW, FIXED),
    lambda inner: st.builds(
        lambda op, parts: tree(op, *parts),
        st.sampled_from(["and", "or", "or", "xone"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
ROWS = [
    {TIME: time, CONSENT: (consent,), OBJECTION: (objection,)}
    for time, (consent, objection) in product(
        [
            (literal("2025-06-01T00:00:00Z", DATETIME),),
            (literal("2027-01-01T00:00:00Z", DATETIME),),
            (),
        ],
        # The states of the registry: an open objection wins over every consent.
        [(GIVEN, FREE), (WITHDRAWN, FREE), (WITHDRAWN, OBJECTED)],
    )
]


ASKED = read(
    {
        "v": 1,
        "id": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "type": "Application",
        "requester": LAB,
        "provider": "did:web:node.example",
        "dataset": DATASET,
        "offer": "x",
        "purpose": OWN,
        "project": {"title": "T", "end": "2027-08-31"},
        "fields": ["actor", "verb"],
        "period": {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"},
        "relation": {"type": "separate"},
        "processors": [],
        "issued": "2026-05-30T00:00:00Z",
    }
)


def offer(constraints: list[AnyConstraint]) -> Policy:
    read = odrl.read({"@type": "Offer", "@id": "urn:o", "permission": {"action": "use"}})
    rule = replace(read.permissions[0], constraints=tuple(constraints))
    return replace(
        read, kind="Agreement", target=DATASET, permissions=(rule,), timestamp=show(AGREED)
    )


def dataset(basis: str) -> DatasetFacts:
    codebook = (Field("actor", "/actor", "agent", "direct"), Field("verb", "/verb", "string", "no"))
    return DatasetFacts(DATASET, codebook, personal=True, basis=basis, category="traces")


def answers(constraint: AnyConstraint, known: dict[str, tuple[Any, ...]]) -> Truth:
    """The plain meaning of a constraint when every value is known at once: the reference."""
    if isinstance(constraint, Constraint):
        operand = operands.find(constraint.left)
        seen = known.get(constraint.left)
        if operand is None or seen is None:
            return None
        return operand.compare(constraint.operator, seen, constraint.right)
    parts = {name(each): answers(each, known) for each in constraint.operands}
    found = list(parts.values())
    match constraint.operator.removeprefix(ODRL):
        case "and":
            return False if False in found else None if None in found else True
        case "or":
            return True if True in found else None if None in found else False
    if found.count(True) > 1:
        return False
    return None if None in found else found.count(True) == 1


def asking(held: frozenset[str]) -> tuple[Request, dict[str, Fact]]:
    claims = {ODRL + "purpose": Fact((iri(OWN),), "application", "declared")}
    facts = {PREAU + "membership": groups(held), PREAU + "dataCategory": category(personal=True)}
    return Request(ODRL + "use", DATASET, LAB, claims), facts


@given(
    st.lists(CONSTRAINTS, min_size=1, max_size=4),
    st.sampled_from(["consent", "public-task"]),
    st.sampled_from(YEARS),
    st.frozensets(st.sampled_from("ab")),
)
def test_the_compiled_plan_is_the_evaluation_of_every_row(
    constraints: list[AnyConstraint],
    basis: str,
    later: datetime,
    held: frozenset[str],
):
    """`answers` knows everything at once; the plan learns it when agreed, per part, per row."""
    agreed = offer(constraints)
    request, facts = asking(frozenset("ab"))
    decided = decide(agreed, request, facts, AGREED, "negotiation")
    assume(decided.permitted)
    request, facts = asking(held)
    known = {
        ODRL + "purpose": (iri(OWN),),
        PREAU + "assignee": (iri(LAB),),
        ODRL + "dateTime": (literal(show(later), DATETIME),),
        **{key: fact.values for key, fact in facts.items()},
    }

    def wanted(row: dict[str, Any]) -> bool:
        scope = row[CONSENT] == (GIVEN,) if basis == "consent" else row[OBJECTION] == (FREE,)
        scope = scope and row[TIME] != ()  # the period asked for knows dated rows only
        return scope and all(answers(each, known | row) is True for each in constraints)

    made = tried(agreed, basis, decided)
    if made is None:  # then no precision at all makes a plan by which some row could leave
        for precision in ("Minute", "Hour", "Day"):
            known[PREAU + "timePrecision"] = (iri(PREAU + precision),)
            assert precision_named(constraints) or not any(map(wanted, ROWS))
        return
    at_part = decide(agreed, request, facts | plan.facts(made), later, "batch")
    where = None if made.rows.where is None else specialise(made.rows.where, at_part)
    rows = replace(made.rows, where=where)
    known |= made.values()
    for row in ROWS:
        assert (at_part.permitted and rows.admits(row) is True) == wanted(row)


def tried(agreed: Policy, basis: str, decided: Decision) -> plan.Plan | None:
    """The plan, None when the clauses contradict one another; no other refusal is expected."""
    try:
        return plan.compile(agreed, ASKED, dataset(basis), "urn:a", LAB, decided)
    except Problem as problem:
        if problem.code != "policy-plan-contradiction":
            raise
        return None


def precision_named(constraints: list[AnyConstraint]) -> bool:
    """Whether the plan's own choice of a precision may be what no row survives."""
    return any(each.left == PREAU + "timePrecision" for each in atoms(tuple(constraints)))


PREDICATES: st.SearchStrategy[Predicate] = st.recursive(
    st.one_of(
        st.builds(lambda op, at: residue.test(atom(TIME, op, at)), ORDERS, st.sampled_from(YEARS)),
        st.builds(residue.test, ABOUT_NOW),
        st.sampled_from([TRUE, FALSE, UNKNOWN]),
    ),
    lambda inner: st.builds(
        lambda kind, parts: Group(kind, tuple(parts)),
        st.sampled_from(["all", "any", "one"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=8,
)


@given(PREDICATES)
def test_simplifying_changes_no_answer(predicate: Predicate):
    simple = residue.bind(predicate, lambda test: test)
    for row in ROWS:
        assert residue.holds(simple, row) is residue.holds(predicate, row)
    assert residue.bind(simple, lambda test: test) == simple


@given(PREDICATES, st.permutations(range(4)))
def test_a_predicate_reads_back_and_order_says_nothing(predicate: Predicate, order: list[int]):
    simple = residue.bind(predicate, lambda test: test)
    assert residue.read(json.loads(json.dumps(residue.document(simple))), "rows.where") == simple
    if isinstance(predicate, Group):
        parts = [predicate.parts[i] for i in order if i < len(predicate.parts)]
        turned = Group(predicate.kind, tuple(parts))
        assert residue.bind(turned, lambda test: test) == simple


@given(PREDICATES)
def test_binding_a_test_is_answering_it(predicate: Predicate):
    row = ROWS[0]
    bound = residue.bind(predicate, lambda test: Const(residue.compare(test, row.get(test.column))))
    assert bound == Const(residue.holds(predicate, row))


@pytest.mark.parametrize(
    ("parts", "truth"),
    [
        ([True], True),
        ([True, True], False),
        ([True, None], None),
        ([True, True, None], False),
        ([None], None),
        ([False, False], False),
        ([], False),
        ([False, True], True),
    ],
)
def test_exactly_one(parts: list[Truth], truth: Truth):
    assert residue.holds(Group("one", tuple(Const(part) for part in parts)), {}) is truth
    assert residue.group("one", [Const(part) for part in parts]) in {
        Const(truth),
        *([Group("one", (TRUE, UNKNOWN)), Group("one", (UNKNOWN, TRUE))] if truth is None else []),
    }


def test_two_constraints_that_become_one_still_count_twice():
    test = residue.test(atom(TIME, "lt", YEARS[0]))
    assert residue.group("one", [test, test]) == Group("one", (test, test))
    assert residue.group("all", [test, test]) == test
    row = {TIME: (literal("2020-01-01T00:00:00Z", DATETIME),)}
    assert residue.holds(Group("one", (test, test)), row) is False


def test_a_test_of_nothing_known_cannot_be_told():
    unknown = Test("https://x.example/o", ODRL + "eq", (iri("urn:x"),))
    wrong = Test(TIME, ODRL + "isA", (iri("urn:x"),))
    assert residue.holds(unknown, {"https://x.example/o": (iri("urn:x"),)}) is None
    assert residue.holds(wrong, {TIME: (iri("urn:x"),)}) is None
    assert residue.holds(residue.test(atom(TIME, "lt", YEARS[0])), {}) is None


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (3, "rows.where"),
        ({}, "rows.where.column"),
        ({"all": {}}, "rows.where.all"),
        ({"all": [], "is": True}, "rows.where.all"),
        ({"any": [{"is": 1}]}, "rows.where.any[0].is"),
        ({"all": [], "any": []}, "rows.where.all"),
        ({"column": "x", "operator": "urn:o", "values": []}, "rows.where.values"),
        ({"column": "urn:c", "operator": "urn:o", "values": [{}]}, "rows.where.values[0].type"),
        (
            {"column": "urn:c", "operator": "urn:o", "values": [{"id": "urn:x", "type": "urn:y"}]},
            "rows.where.values[0].id",
        ),
        ({"not": []}, "rows.where.not"),
    ],
)
def test_a_bad_predicate_is_located(data: Any, path: str):
    with pytest.raises(Problem) as caught:
        residue.read(data, "rows.where")
    assert caught.value.code == "policy-plan-document"
    assert caught.value.params["path"] == path


def test_predicates_nest_only_so_deep():
    data: Any = {"is": True}
    for _ in range(19):
        data = {"all": [data]}
    assert isinstance(residue.read(data, "w"), Group)
    with pytest.raises(Problem):
        residue.read({"all": [{"all": [data]}]}, "w")


def test_a_predicate_is_told_in_both_languages():
    either = Group("any", (residue.test(atom(TIME, "lt", YEARS[0])), UNKNOWN, TRUE, FALSE))
    said = [residue.sentence(either, lang) for lang in LANGUAGES]
    assert said[0] != said[1]
    assert "2025" in said[0]
    assert "2025" in said[1]


def test_what_the_agreement_fixes_is_folded():
    fits = tree("or", atom(ODRL + "purpose", "isA", RESEARCH), atom(TIME, "lt", YEARS[0]))
    never = tree("or", atom(ODRL + "purpose", "isA", DPV + "Marketing"), atom(TIME, "lt", YEARS[0]))
    assert _where(fits) is None
    assert _where(never) == residue.test(atom(TIME, "lt", YEARS[0]))
    hour = tree(
        "or", atom(PREAU + "timePrecision", "eq", PREAU + "Day"), atom(TIME, "lt", YEARS[0])
    )
    assert _where(hour) == residue.test(atom(TIME, "lt", YEARS[0]))


def test_what_no_row_can_meet_refuses_the_plan():
    marketing = atom(ODRL + "purpose", "isA", DPV + "Marketing")
    nothing = tree("or", marketing, tree("xone", atom(TIME, "lt", YEARS[0]), marketing, marketing))
    assert _where(nothing) == residue.test(atom(TIME, "lt", YEARS[0]))
    undated = replace(dataset("public-task"), dated=False)
    with pytest.raises(Problem) as caught:
        _compiled(nothing, undated)
    assert caught.value.code == "policy-plan-contradiction"
    assert caught.value.params["operand"] == "preau:recordTime"


def _compiled(constraint: AnyConstraint, data: DatasetFacts | None = None) -> plan.Plan:
    asked = atom(ODRL + "purpose", "eq", OWN)
    agreed = offer([asked, constraint])
    request, facts = asking(frozenset())
    decided = decide(agreed, request, facts, AGREED, "negotiation")
    return plan.compile(agreed, ASKED, data or dataset("public-task"), "urn:a", LAB, decided)


def _where(constraint: AnyConstraint) -> Predicate | None:
    return _compiled(constraint).rows.where


def test_a_plan_says_what_it_needs():
    either = tree("or", atom(TIME, "lt", YEARS[0]), atom(CONSENT, "eq", DPV + "ConsentGiven"))
    made = _compiled(either)
    assert needs(made) == plan.Needs(frozenset({"rows"}), frozenset({TIME, CONSENT}))
    assert needs(offer([either])).columns == {TIME, CONSENT}
    assert needs(offer([atom(TIME, "lt", YEARS[0])])).columns == frozenset()


def test_the_period_and_the_scope_are_predicates_too():
    at: Callable[[int], dict[str, Any]] = lambda year: {
        TIME: (literal(f"{year}-01-01T00:00:00Z", DATETIME),)
    }
    rows = Rows(YEARS[0], YEARS[1])
    assert rows.admits(at(2025)) is True
    assert rows.admits(at(2026)) is False
    assert rows.admits(at(2024)) is False
    assert rows.admits({}) is None
    scope = _compiled(atom(CONSENT, "eq", DPV + "ConsentGiven")).rows.consent
    assert isinstance(scope, ConsentScope)
    rows = Rows(consent=scope)
    assert rows.admits({CONSENT: (GIVEN,)}) is True
    assert rows.admits({CONSENT: (GIVEN, WITHDRAWN)}) is False
    assert rows.admits({CONSENT: ()}) is None
    assert rows.admits({}) is None
    assert Rows().admits({}) is True
