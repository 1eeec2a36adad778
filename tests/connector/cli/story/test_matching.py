from collections.abc import Iterable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cli.story.matching import Mismatch, match, match_all_but_one
from connector.cli.story.treated import Row

ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.sampled_from("abc")), min_size=1, max_size=40
)


def rows(cells: Iterable[tuple[int, int, str]]) -> list[Row]:
    """Rows with an id of their own and a session; a session belongs to one learner."""
    return [
        Row(f"learner-{who}", (f"id-{n}", f"session-{who}-{session}"), text)
        for n, (who, session, text) in enumerate(cells)
    ]


def renamed(items: list[Row], order: Iterable[int]) -> list[Row]:
    """The same rows under other names, in another order."""
    fresh = (f"new-{n}" for n in count())
    names: dict[str, str] = {}

    def other(name: str) -> str:
        return names.setdefault(name, next(fresh))

    moved = [Row(other(row.learner), tuple(map(other, row.ids)), row.rest) for row in items]
    return [moved[n] for n in order]


@given(ROWS, st.randoms(use_true_random=False))
def test_renamed_rows_match_and_the_names_are_consistent(cells, random):
    ours = rows(cells)
    theirs = renamed(ours, random.sample(range(len(ours)), len(ours)))
    names = match(ours, theirs)
    back = {(row.learner, row.ids, row.rest) for row in theirs}
    translated = {
        (names.learners[row.learner], tuple(names.ids[i] for i in row.ids), row.rest)
        for row in ours
    }
    assert translated == back
    assert len(set(names.learners.values())) == len(names.learners)
    assert len(set(names.ids.values())) == len(names.ids)


@given(ROWS, st.data())
def test_one_changed_text_is_noticed(cells, data):
    ours = rows(cells)
    theirs = renamed(ours, range(len(ours)))
    place = data.draw(st.integers(0, len(theirs) - 1))
    row = theirs[place]
    theirs[place] = Row(row.learner, row.ids, row.rest + "!")
    with pytest.raises(Mismatch):
        match(ours, theirs)


def test_a_row_given_to_somebody_else_is_noticed():
    ours = rows([(0, 0, "a"), (0, 0, "a"), (1, 0, "a")])
    theirs = renamed(rows([(0, 0, "a"), (1, 0, "a"), (1, 0, "a"), (2, 0, "a")])[:3], range(3))
    match(ours, theirs)  # two of one learner, one of another: the same thing
    split = [Row("x", ("1", "s"), "a"), Row("y", ("2", "t"), "a"), Row("z", ("3", "u"), "a")]
    with pytest.raises(Mismatch):
        match(ours, split)


def test_two_sessions_made_one_are_noticed():
    ours = rows([(0, 0, "a"), (0, 1, "a")])
    theirs = [Row("x", ("1", "s"), "a"), Row("x", ("2", "s"), "a")]
    with pytest.raises(Mismatch):
        match(ours, theirs)


def test_a_lost_row_is_noticed():
    ours = rows([(0, 0, "a"), (1, 0, "b")])
    with pytest.raises(Mismatch) as raised:
        match(ours, renamed(ours, [0]))
    assert "2 rows expected, 1 received" in raised.value.en
    assert "2 lignes" in raised.value.fr


STAYING = [(0, 0, "a"), (0, 1, "b"), (1, 0, "a"), (1, 0, "c")]
PARTING = [(7, 0, "a"), (7, 0, "b"), (7, 1, "b")]


def parted(early: list[int]) -> tuple[list[Row], list[Row], list[Row]]:
    """Both sides when rows of learner 7 arrived among the first, then no more."""
    everybody = rows(PARTING + STAYING)
    theirs = renamed(everybody, range(len(everybody)))
    return everybody[3:], everybody[:3], [*(theirs[n] for n in early), *theirs[3:]]


def test_who_left_may_have_early_rows():
    staying, parting, received = parted([0, 2])
    names, pseudonym, before = match_all_but_one(staying, parting, received, early=2)
    assert before == 2
    assert pseudonym == received[0].learner
    assert pseudonym not in names.learners.values()


def test_who_left_may_have_no_row_at_all():
    staying, parting, received = parted([])
    assert match_all_but_one(staying, parting, received, early=2)[1:] == (None, 0)


def test_a_late_row_of_who_left_is_noticed():
    staying, parting, received = parted([0, 2])
    with pytest.raises(Mismatch):
        match_all_but_one(staying, parting, received, early=1)


def test_a_row_that_is_not_theirs_is_noticed():
    staying, parting, received = parted([0])
    received[0] = Row(received[0].learner, received[0].ids, "z")
    with pytest.raises(Mismatch) as raised:
        match_all_but_one(staying, parting, received, early=1)
    assert "not theirs" in raised.value.en


def test_early_rows_keep_their_sessions():
    staying, parting, received = parted([0, 1])
    session = received[0].ids[1]
    assert received[1].ids[1] == session
    received[1] = Row(received[1].learner, ("another", "session"), "a")
    with pytest.raises(Mismatch):
        match_all_but_one(staying, parting, received, early=2)
