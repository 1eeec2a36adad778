"""What this node runs of a plan: the row predicate on its columns, and a reason for the rest."""

from array import array
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.dataplane.projection import micros
from connector.dataplane.rows import EPOCH, NO_TIME
from connector.dataplane.runnable import asked, check
from policies.model import DATETIME, Value, iri
from policies.plan import RECORD_TIME, Needs, residue
from policies.plan.residue import TRUE, UNKNOWN, Group, Predicate, Test
from policies.problem import Problem
from policies.values import literal, show
from policies.vocabulary import ODRL, PREAU

INSTANTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=n) for n in range(3)]
TESTS = st.builds(
    lambda operator, at: Test(RECORD_TIME, ODRL + operator, (literal(show(at), DATETIME),)),
    st.sampled_from(["lt", "lteq", "gt", "gteq"]),
    st.sampled_from(INSTANTS),
)
OTHER = st.sampled_from(
    [
        TRUE,
        UNKNOWN,
        Test(RECORD_TIME, ODRL + "isA", (iri("urn:x"),)),
        Test(RECORD_TIME, ODRL + "lt", (Value("soon", DATETIME),)),
        Test(RECORD_TIME, ODRL + "lt", ()),
        Test(PREAU + "membership", ODRL + "eq", (iri("group:a"),)),
    ]
)
PREDICATES: st.SearchStrategy[Predicate] = st.recursive(
    st.one_of(TESTS, TESTS, OTHER),
    lambda inner: st.builds(
        lambda kind, parts: Group(kind, tuple(parts)),
        st.sampled_from(["all", "any", "one"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)


@given(PREDICATES)
def test_the_index_answers_as_the_predicate_means(where: Predicate):
    times = array("q", [micros(at) or 0 for at in INSTANTS] + [0])
    flags = array("I", [0, 0, 0, NO_TIME])
    says = asked(where, times, flags)
    assert says is not None
    for row, time in enumerate(times):
        at = literal(show(EPOCH + timedelta(microseconds=time)), DATETIME)
        column = {} if flags[row] & NO_TIME else {RECORD_TIME: (at,)}
        assert says(row) is residue.holds(where, column)


def test_no_predicate_asks_nothing():
    assert asked(None, [0], [0]) is None


@pytest.mark.parametrize(
    ("wanted", "code", "named"),
    [
        (Needs(frozenset({"aggregates"}), frozenset()), "dataplane-lane", "aggregates"),
        (Needs(frozenset({"k-microdata"}), frozenset()), "dataplane-lane", "k-microdata"),
        (
            Needs(frozenset({"rows"}), frozenset({PREAU + "learnerAge", RECORD_TIME})),
            "dataplane-column",
            "preau:learnerAge",
        ),
    ],
)
def test_what_cannot_run_is_refused_by_name(wanted: Needs, code: str, named: str):
    with pytest.raises(Problem) as caught:
        check(wanted)
    assert caught.value.code == code
    assert named in caught.value.text("en")


def test_rows_with_their_time_run():
    check(Needs(frozenset({"rows"}), frozenset({RECORD_TIME})))
