"""Explanations: nothing of a policy is left out, both renderings of a trace, HTML without style."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import explain, odrl, phrases, plan, telling
from policies.application import Application
from policies.compare import counter, narrow
from policies.evaluate import Request, claims, decide, groups
from policies.model import (
    DATETIME,
    DURATION,
    INTEGER,
    STRING,
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    Refinements,
    Rule,
    Value,
    iri,
)
from policies.plan import DatasetFacts
from policies.problem import LANGUAGES, Language
from policies.trace import Reason
from policies.values import literal
from policies.vocabulary import DPV, ODRL, PREAU, compact

NOW = datetime(2026, 12, 1, tzinfo=UTC)
IRIS = st.sampled_from([DPV + "AcademicResearch", "urn:x:<b>&\"'", "group:labs", "did:web:a.b"])
NAMES = st.sampled_from(["urn:t:1", "urn:t:2", "https://x.example/<script>"])
VALUES = st.one_of(
    st.builds(Value, IRIS),
    st.sampled_from(
        [
            literal("2027-01-01T00:00:00.000001Z", DATETIME),
            literal("2027-01-01T01:02:03+01:00", DATETIME),
            literal("P1Y2M3DT4H5S", DURATION),
            literal("17", INTEGER),
            Value("a <text> & more", STRING),
            Value("x", "urn:unknown:type"),
        ]
    ),
)
LEFTS = st.sampled_from([ODRL + "purpose", ODRL + "dateTime", "urn:operand:?", PREAU + "fields"])
OPERATORS = st.sampled_from([ODRL + "eq", ODRL + "lt", ODRL + "isAnyOf", "urn:operator:?"])
ATOMS = st.builds(
    Constraint,
    left=LEFTS,
    operator=OPERATORS,
    right=st.lists(VALUES, min_size=1, max_size=3).map(tuple),
    unit=st.none() | NAMES,
    references=st.lists(NAMES, max_size=1).map(tuple),
    status=st.none() | VALUES,
)
CONSTRAINTS: st.SearchStrategy[AnyConstraint] = st.recursive(
    ATOMS,
    lambda inner: st.builds(
        LogicalConstraint,
        st.sampled_from([ODRL + w for w in ("and", "or", "xone", "andSequence")] + ["urn:logic:?"]),
        st.lists(inner, min_size=1, max_size=2).map(tuple),
    ),
    max_leaves=3,
)
SOME = st.lists(CONSTRAINTS, max_size=2).map(tuple)
ROLES = st.sampled_from(["action", "target", "assigner", "assignee"])
PAIRS = st.lists(st.tuples(ROLES, NAMES), max_size=2).map(tuple)
REFINED = st.builds(
    Refinements,
    action=SOME,
    target=SOME,
    assigner=SOME,
    assignee=SOME,
    collections=st.lists(st.sampled_from(["target", "assignee"]), max_size=1).map(tuple),
    sources=PAIRS,
    part_of=PAIRS,
)
ACTIONS = st.sampled_from([ODRL + "use", ODRL + "delete", "urn:action:?"])
FUNCTIONS = st.lists(st.tuples(st.just(ODRL + "payeeParty"), NAMES), max_size=1).map(tuple)
PARTIES: dict[str, st.SearchStrategy[Any]] = {
    name: st.none() | NAMES for name in ("target", "assigner", "assignee")
}
DUTIES: st.SearchStrategy[Duty] = st.recursive(
    st.builds(Duty, ACTIONS, SOME, refined=REFINED, functions=FUNCTIONS, **PARTIES),
    lambda inner: st.builds(
        lambda duty, later: replace(duty, consequences=tuple(later)),
        inner,
        st.lists(inner, max_size=1),
    ),
    max_leaves=2,
)
MANY = st.lists(DUTIES, max_size=1).map(tuple)


def rules(kind: str, **more: Any) -> Any:
    rule = st.builds(
        Rule, st.just(kind), ACTIONS, SOME, refined=REFINED, functions=FUNCTIONS, **PARTIES, **more
    )
    return st.lists(rule, max_size=1).map(tuple)


POLICIES = st.builds(
    Policy,
    kind=st.sampled_from(["Offer", "Agreement", "Set"]),
    id=st.sampled_from(["urn:p", "urn:p:<i>"]),
    permissions=rules("Permission", duties=MANY),
    prohibitions=rules("Prohibition", remedies=MANY),
    obligations=MANY,
    timestamp=st.none() | st.just("2026-12-01T00:00:00Z"),
    conflict=st.sampled_from([None, "perm", "prohibit", "invalid"]),
    inherits=st.lists(NAMES, max_size=1).map(tuple),
    profile=st.lists(NAMES, max_size=1).map(tuple),
    metadata=st.lists(st.tuples(st.just(DPV + "x"), st.just("A <title>")), max_size=1).map(tuple),
    **PARTIES,
)


def said_of(part: Any, lang: Language) -> Iterator[str]:
    """Everything that must occur in the rendering of a part, independently of its order."""
    if isinstance(part, Constraint):
        yield phrases.operand(part.left, lang)
        yield phrases.operator(part.operator, part.right, lang)
        yield from (phrases.value(each, lang) for each in part.right)
        yield from part.references
        yield from [part.unit] if part.unit else []
        yield from [phrases.value(part.status, lang)] if part.status else []
    elif isinstance(part, LogicalConstraint):
        yield phrases.pick(phrases._LOGICAL.get(part.operator, (part.operator,) * 2), lang)
        yield from (word for each in part.operands for word in said_of(each, lang))
    else:
        yield phrases.action(part.action, lang)
        yield from (name for name in (part.target, part.assigner, part.assignee) if name)
        yield from (text for each in part.functions for text in (compact(each[0]), each[1]))
        later = part.remedies if isinstance(part, Rule) else part.consequences
        duties = part.duties if isinstance(part, Rule) else ()
        refined = part.refined
        inner = (refined.action, refined.target, refined.assigner, refined.assignee)
        yield from (name for _, name in (*refined.sources, *refined.part_of))
        for each in (*part.constraints, *duties, *later, *(c for cs in inner for c in cs)):
            yield from said_of(each, lang)


@given(POLICIES, st.sampled_from(LANGUAGES))
def test_nothing_of_a_policy_is_left_out(policy: Policy, lang: Language):
    text = "\n".join(explain.policy(policy, lang))
    wanted = [policy.id, *policy.inherits, *policy.profile]
    wanted += [each for each in (policy.target, policy.assigner, policy.assignee) if each]
    wanted += [text for each in policy.metadata for text in (compact(each[0]), each[1])]
    for rule in (*policy.permissions, *policy.prohibitions, *policy.obligations):
        wanted += said_of(rule, lang)
    for each in wanted:
        assert each in text
    assert ("2026" in text) or policy.timestamp is None
    assert (policy.conflict is None) or re.search("conflit|conflict", text)
    assert ("unknown to this node" in text or "inconnu" in text) or "urn:operand:?" not in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_somebody_else_wrote_makes_no_line_of_its_own(lang: Language):
    """Neither a line that looks like ours, nor a command to the terminal it is shown on."""
    written = "x\r\nIt is permitted to use\x1b[2J\u202e\x07"
    right = (literal(written, STRING),)
    rule = Rule("Permission", ODRL + "use", (Constraint(ODRL + "spatial", "eq", right),))
    found = Policy(
        kind="Offer",
        id="urn:o",
        target=written,
        assigner=written,
        assignee=written,
        permissions=(rule,),
        profile=(written,),
        metadata=(("urn:m", written),),
    )
    lines = explain.policy(found, lang)
    assert all(line.isprintable() for line in lines)
    assert sum("x??It is permitted to use?[2J??" in line for line in lines) == 6
    assert phrases.value(right[0], lang).isprintable()


class Fragment(HTMLParser):
    """What a browser reads: the tags in order, and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"class", "lang"}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@given(POLICIES, st.sampled_from(LANGUAGES))
def test_the_fragment_says_the_same_and_holds_no_markup_of_theirs(policy: Policy, lang: Language):
    lines = explain.policy(policy, lang)
    read = Fragment()
    read.feed(explain.html(lines, lang, about="offer"))
    assert set(read.tags) <= {"section", "h3", "p", "ul", "li"}
    assert read.text == [line.removeprefix("- ") for line in lines]
    assert read.tags.count("h3") == 1


def test_an_explanation_of_nothing_is_an_empty_section():
    assert explain.html([], "fr", about='a"b') == '<section class="a&quot;b" lang="fr"></section>'
    both = explain.html(["- a", "b"], "en", about="x")
    assert both == '<section class="x" lang="en"><ul><li>a</li></ul><p>b</p></section>'


# --- traces, differences, counter-offers, plans --------------------------------------------------


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def offer_of(*constraints: object, **members: object) -> Policy:
    rule = {"action": "use", "constraint": list(constraints)}
    return odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule], **members})


def test_the_internal_trace_says_what_was_seen_and_the_shared_one_does_not():
    offer = offer_of(
        atom("preau:membership", "isPartOf", {"@id": "group:labs"}),
        atom("odrl:purpose", "isA", {"@id": DPV + "AcademicResearch"}),
        {"or": [atom("urn:x", "eq", "1"), atom("odrl:count", "lteq", 3)]},
    )
    facts = {PREAU + "membership": groups(["guests"])}
    request = Request(ODRL + "use", "urn:d", "did:web:lab.example", {})
    made = decide(offer, request, facts, NOW, "negotiation")
    for lang in LANGUAGES:
        internal = "\n".join(explain.trace(made, lang))
        shared = "\n".join(explain.decision(made, lang))
        assert "guests" in internal
        assert "guests" not in shared
        assert "peer-list" in internal
        assert phrases.pick(telling.REASONS["missing-value"], lang) in internal
        assert phrases.pick(telling.REASONS["unknown-operand"], lang) in internal
    assert explain.trace(made, "fr") != explain.trace(made, "en")


def test_every_reason_has_its_words():
    assert set(telling.REASONS) == set(get_args(Reason)) - {""}
    assert all(fr and en for fr, en in telling.REASONS.values())


def test_a_record_tells_no_answer_line():
    made = decide(offer_of(), Request(ODRL + "use", None, None, {}), {}, NOW, "record")
    assert "record" in explain.trace(made, "en")[0]


def test_refinements_are_told_in_the_trace():
    refined = {
        "action": [
            {"rdf:value": {"@id": "odrl:use"}, "refinement": [atom("odrl:count", "lteq", 3)]}
        ]
    }
    offer = odrl.read({"@id": "urn:p", "@type": "Set", "permission": [refined]})
    made = decide(offer, Request(ODRL + "use", None, None, {}), {}, NOW, "transfer")
    assert any("count" in line or "releases" in line for line in explain.trace(made, "en"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_two_offers_are_compared_in_both_directions(lang: Language):
    end = atom("odrl:dateTime", "lt", "2027-01-01T00:00:00Z")
    later = atom("odrl:dateTime", "lt", "2029-01-01T00:00:00Z")
    group = atom("preau:membership", "isPartOf", {"@id": "group:labs"})
    said = explain.difference(offer_of(end), offer_of(later, group), lang)
    assert [line for line in said if not line.startswith("- ")] == [
        line for line in said if line.endswith(":")
    ]
    assert sum(line.endswith(":") for line in said) == 2
    assert any("2029" in line for line in said)
    assert len(explain.difference(offer_of(end), offer_of(end), lang)) == 1
    twice = offer_of({"and": [end]})
    assert len(explain.difference(offer_of(end), twice, lang)) == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_counter_offer_in_words(lang: Language):
    end = atom("odrl:dateTime", "lt", "2027-01-01T00:00:00Z")
    later = atom("odrl:dateTime", "lt", "2029-01-01T00:00:00Z")
    found = counter(offer_of(end), offer_of(later))
    assert found is not None
    said = explain.counter(found, lang)
    assert len(said) == 2
    assert "2027" in said[1]


def test_a_plan_in_every_lane(offer: Policy, application: Application, dataset: DatasetFacts):
    level = {"leftOperand": "preau:aggregationLevel", "operator": "eq"}
    for wished, words in (
        ([], "Fields that leave"),
        ([atom("preau:minGroupSize", "gteq", 12)], "at least 12 persons"),
        ([{**level, "rightOperand": {"@id": PREAU + "Aggregate"}}], "No row leaves"),
        ([atom("preau:recordBudget", "lteq", 500)], "at most 500"),
        (
            [{"or": [atom("preau:recordTime", "lt", "2021-06-01T00:00:00Z"), *_marketing()]}],
            "Only rows for which: the time of the records is before",
        ),
        ([atom("preau:membership", "isPartOf", {"@id": "group:labs"})], "whenever it changes"),
    ):
        narrowed = narrow(offer, application)
        rule = narrowed.permissions[0]
        more = offer_of(*wished).permissions[0].constraints
        terms = replace(
            narrowed, permissions=(replace(rule, constraints=(*rule.constraints, *more)),)
        )
        request = Request(ODRL + "use", dataset.id, "did:web:lab.example", claims(application))
        facts = {PREAU + "membership": groups(["labs"])}
        made = decide(terms, request, facts, NOW, "negotiation")
        compiled = plan.compile(terms, application, dataset, "urn:a", "did:web:lab.example", made)
        said = {lang: "\n".join(explain.plan(compiled, lang)) for lang in LANGUAGES}
        assert words in said["en"]
        assert said["fr"] != said["en"]
        assert plan.Plan.read(compiled.document()) == compiled


def _marketing() -> list[dict[str, object]]:
    return [atom("odrl:purpose", "isA", {"@id": DPV + "Marketing"})]


def test_iris_stay_iris():
    assert iri("urn:x") == Value("urn:x")
