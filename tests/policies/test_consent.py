"""Consent at an instant: strict, independent of order, never widened by a "no"."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.consent import STATUSES, Event, Scope, Status, allows, state
from policies.vocabulary import DPV, PREAU, PURPOSES, purpose_covers

LAB = "did:web:lab"
OWN = PREAU + "EducationResearch"
SCOPE = Scope(LAB, OWN, "traces")
T = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 11)]


def event(
    status: Status,
    day: int,
    purpose: str = OWN,
    recipient: str = LAB,
    category: str = "traces",
    until: int | None = None,
) -> Event:
    return Event(recipient, purpose, category, status, T[day], None if until is None else T[until])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], "none"),
        ([event("given", 1)], "valid"),
        ([event("given", 6)], "none"),
        ([event("given", 5)], "valid"),
        ([event("refused", 1)], "refused"),
        ([event("given", 1), event("withdrawn", 2)], "withdrawn"),
        ([event("withdrawn", 1), event("given", 2)], "valid"),
        ([event("withdrawn", 2), event("given", 2)], "withdrawn"),
        ([event("given", 1), event("withdrawn", 6)], "valid"),
        ([event("given", 1, until=3)], "expired"),
        ([event("given", 1, until=5)], "expired"),
        ([event("given", 1, until=6)], "valid"),
        ([event("given", 1), event("given", 2, until=3)], "valid"),
        ([event("given", 1, DPV + "AcademicResearch")], "valid"),
        ([event("given", 1, PREAU + "LearningAnalyticsResearch")], "none"),
        ([event("given", 1, DPV + "CommercialResearch")], "none"),
        ([event("given", 1, category="marks")], "none"),
        ([event("given", 1, recipient="did:web:other")], "none"),
        ([event("given", 1, recipient="group:labs")], "valid"),
        ([event("given", 1, recipient="group:others")], "none"),
        ([event("given", 1), event("withdrawn", 2, recipient="group:labs")], "withdrawn"),
        ([event("given", 1), event("withdrawn", 2, recipient="group:others")], "valid"),
        ([event("given", 1), event("refused", 2, DPV + "ScientificResearch")], "refused"),
        ([event("given", 1), event("refused", 2, DPV + "CommercialResearch")], "valid"),
        ([event("given", 1), event("refused", 2, PREAU + "LearningAnalyticsResearch")], "refused"),
        ([event("given", 1), event("refused", 2, "https://example.org/unknown")], "refused"),
        ([event("given", 1), event("objected", 2)], "objected"),
        ([event("objected", 1), event("given", 2)], "objected"),
        ([event("objected", 1), event("lifted", 2)], "none"),
        ([event("objected", 1), event("lifted", 1)], "objected"),
        ([event("given", 1), event("objected", 2), event("lifted", 3)], "valid"),
        ([event("objected", 2), event("lifted", 1)], "objected"),
        ([event("objected", 1), event("lifted", 2, DPV + "AcademicResearch")], "none"),
        ([event("objected", 1, DPV + "AcademicResearch"), event("lifted", 2)], "objected"),
        ([event("objected", 1, recipient="group:labs"), event("lifted", 2)], "objected"),
        ([event("lifted", 1)], "none"),
    ],
)
def test_state(events: list[Event], expected: str):
    assert state(events, SCOPE, T[5], {"labs"}) == expected


def test_what_a_state_allows():
    assert {
        s
        for s in ("valid", "refused", "withdrawn", "objected", "expired", "none")
        if allows(s, "consent")
    } == {"valid"}
    assert not allows("objected", "objection")
    assert all(allows(s, "objection") for s in ("valid", "expired", "none", "refused", "withdrawn"))


def test_consent_to_a_sibling_purpose_is_no_consent():
    scope = Scope(LAB, DPV + "ScientificResearch", "traces")
    assert state([event("given", 1, DPV + "AcademicResearch")], scope, T[5]) == "none"


terms = st.sampled_from([*sorted(PURPOSES), "https://example.org/unknown"])
instants = st.sampled_from(T)
events = st.builds(
    Event,
    st.sampled_from([LAB, "group:labs", "did:web:other"]),
    terms,
    st.sampled_from(["traces", "marks"]),
    st.sampled_from(STATUSES),
    instants,
    st.none() | instants,
)
lists = st.lists(events, max_size=6)
scopes = st.builds(Scope, st.just(LAB), terms, st.just("traces"))


@given(lists, scopes, instants, st.randoms(use_true_random=False))
def test_order_does_not_matter(found: list[Event], scope: Scope, at: datetime, random: object):
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert state(shuffled, scope, at, {"labs"}) == state(found, scope, at, {"labs"})


@given(lists, scopes, instants, events, st.sampled_from(["consent", "objection"]))
def test_a_no_never_widens(found: list[Event], scope: Scope, at: datetime, more: Event, mode: str):
    if more.status in {"given", "lifted"}:
        return
    if allows(state([*found, more], scope, at, {"labs"}), mode):  # type: ignore[arg-type]
        assert allows(state(found, scope, at, {"labs"}), mode)  # type: ignore[arg-type]


@given(lists, scopes, instants, terms)
def test_what_holds_for_a_purpose_holds_for_a_narrower_one(
    found: list[Event], scope: Scope, at: datetime, narrower: str
):
    if purpose_covers(scope.purpose, narrower) and state(found, scope, at) == "valid":
        assert state(found, Scope(LAB, narrower, "traces"), at) == "valid"


@given(lists, scopes, instants, st.integers(0, 5), terms, st.none() | instants)
def test_a_narrower_grant_never_widens(
    found: list[Event],
    scope: Scope,
    at: datetime,
    index: int,
    narrower: str,
    until: datetime | None,
):
    if index >= len(found) or found[index].status != "given":
        return
    old = found[index]
    ends = [each for each in (old.valid_until, until) if each is not None]
    if not purpose_covers(old.purpose, narrower):
        return
    new = Event(old.recipient, narrower, old.category, "given", old.at, min(ends, default=None))
    changed = [*found[:index], new, *found[index + 1 :]]
    if state(changed, scope, at, {"labs"}) == "valid":
        assert state(found, scope, at, {"labs"}) == "valid"


@given(lists, scopes, instants)
def test_the_future_does_not_matter(found: list[Event], scope: Scope, at: datetime):
    past = [each for each in found if each.at <= at]
    assert state(found, scope, at) == state(past, scope, at)
    assert state(found, scope, T[0] - timedelta(days=1)) == "none"
