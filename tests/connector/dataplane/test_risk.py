"""Linkage on data whose truth is known, and on real traces."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.dataplane import risk
from connector.dataplane.about import About
from connector.dataplane.building import build
from connector.dataplane.projection import Projection
from connector.dataplane.release import Limits, encode_part, release_keys
from connector.dataplane.revision import Revision
from connector.dataplane.risk import FLOOR, Joined, Measured, Traces, best_join, join, measure
from connector.dataplane.treat import pseudonym
from policies.plan import PlanField, tells_more
from tests.support.ids import SeededIds

FUN = "xapi/fun-mooc-statements.jsonl.gz"
KEY = b"r" * 32
Rows = list[dict[str, object]]

histories = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=40)


def traces_of(people: Iterable[Iterable[int]]) -> Traces:
    listed = [list(rows) for rows in people]
    found = Traces(len(listed))
    for person, rows in enumerate(listed):
        for row in rows:
            found.add(person, b"%d" % row)
    return found


# ------------------------------------------------------------------------ whole traces, truth known


@given(histories)
def test_unique_are_those_whose_rows_nobody_else_has(people: list[list[int]]):
    counts = Counter(tuple(sorted(rows)) for rows in people)
    expected = sum(counts[tuple(sorted(rows))] == 1 for rows in people) / len(people)
    assert traces_of(people).unique() == pytest.approx(expected)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_rows_tells_nothing(people: list[list[int]], random: Any):
    shuffled = [random.sample(rows, len(rows)) for rows in people]
    assert traces_of(shuffled).unique() == traces_of(people).unique()


@given(histories, st.data())
def test_equal_traces_are_guessed_right_once_in_so_many(people: list[list[int]], data: Any):
    flags = st.lists(st.sampled_from([0, 1]), min_size=len(people), max_size=len(people))
    left, right = bytearray(data.draw(flags)), bytearray(data.draw(flags))
    common = [one for one in range(len(people)) if left[one] and right[one]]
    found = traces_of(people).matched(left, right)
    if len(common) < FLOOR:
        assert found is None
        return
    keys = [tuple(sorted(rows)) for rows in people]
    there = Counter(keys[one] for one in range(len(people)) if right[one])
    expected = sum(1 / there[keys[one]] for one in common) / len(common)
    assert found == pytest.approx(expected)


def test_everybody_alike_is_guessed_by_chance_only():
    everybody = bytearray(b"\x01" * 50)
    assert traces_of([[1, 2]] * 50).matched(everybody, everybody) == pytest.approx(1 / 50)
    assert traces_of([[1, 2]] * 50).unique() == 0


def test_nobody_alike_is_always_linked():
    everybody = bytearray(b"\x01" * 50)
    assert traces_of([[n] for n in range(50)]).matched(everybody, everybody) == 1


def test_counts_belong_to_a_history():
    assert traces_of([[1], [1, 1], [1, 1]]).unique() == pytest.approx(1 / 3)


def test_who_has_no_row_is_nobody():
    assert traces_of([[], [1], []]).persons() == [1]
    assert Traces(0).unique() == 0


def test_columns_of_tables_are_measured_in_the_same_way():
    rows = [(0, ("F", 12, None)), (1, ("F", 12, None)), (2, ("M", 12, None)), (3, ("M", 12, ""))]
    assert risk.columns_unique(rows, 4) == pytest.approx(0.5)


# ----------------------------------------------------------------------------------- a revision


def viewing(
    statement: Callable[..., dict[str, object]], learners: int, minute: Callable[[int], int]
) -> Rows:
    """Three rows a learner, told apart by nothing but the minute."""
    return [
        statement(
            3 * learner + row,
            f"learner-{learner}",
            timestamp=f"2026-03-01T{10 + row}:{minute(learner):02d}:00Z",
        )
        for learner in range(learners)
        for row in range(3)
    ]


def linked(found: Measured) -> dict[tuple[str, bool], float]:
    return {(one.time, one.extensions): one.linked for one in found.figures}


def test_the_precision_decides_when_only_time_tells_apart(
    revise: Callable[..., Revision], statement: Callable[..., dict[str, object]]
):
    found = measure(revise(viewing(statement, 60, lambda learner: learner)), KEY)
    assert (found.rows, found.persons, found.sampled) == (180, 60, False)
    assert found.histories == {"second": 1, "minute": 1, "hour": 0, "day": 0, "none": 0}
    shares = linked(found)
    assert shares["minute", False] == 1
    # About 42 of 60 consent to the other recipient: chance is one in 42.
    assert 0.015 < shares["hour", False] < 0.04
    assert shares["none", True] == shares["hour", False]


def test_results_tell_apart_what_times_do_not(
    revise: Callable[..., Revision], statement: Callable[..., dict[str, object]]
):
    rows = viewing(statement, 40, lambda _: 0)
    for number, row in enumerate(rows):
        row["result"] = {"extensions": {"http://x.example/progress": number // 3}}
    shares = linked(measure(revise(rows), KEY))
    assert shares["none", True] == 1
    assert shares["minute", False] < 0.06


def test_ids_and_names_never_count(
    revise: Callable[..., Revision], statement: Callable[..., dict[str, object]]
):
    rows = viewing(statement, 40, lambda _: 0)
    for number, row in enumerate(rows):
        session = f"00000000-0000-4000-9000-{number:012d}"
        row["context"] = {"extensions": {"http://x.example/session": session}}
    shares = linked(measure(revise(rows), KEY))
    assert max(shares.values()) < 0.06


def test_the_same_key_gives_the_same_figures(
    revise: Callable[..., Revision], statement: Callable[..., dict[str, object]]
):
    revision = revise(viewing(statement, 60, lambda learner: learner // 2))
    assert measure(revision, KEY) == measure(revision, KEY)
    assert risk.key_of("urn:uuid:1") != risk.key_of("urn:uuid:2")


def test_a_large_revision_is_sampled_by_whole_learners(
    revise: Callable[..., Revision], statement: Callable[..., dict[str, object]]
):
    revision = revise(viewing(statement, 100, lambda learner: learner % 60))
    found = measure(revision, KEY, max_rows=150)
    assert found.sampled
    assert found.rows == 3 * found.persons
    assert 30 < found.persons < 70


def test_too_few_learners_give_no_figure(
    revise: Callable[..., Revision], statement: Callable[..., dict[str, object]]
):
    found = measure(revise(viewing(statement, 8, lambda learner: learner)), KEY)
    assert (found.figures, found.histories) == ((), {})


def test_a_row_of_several_persons_belongs_to_each(
    revise: Callable[..., Revision], statement: Callable[..., dict[str, object]]
):
    rows = viewing(statement, 30, lambda learner: learner)
    teacher = {"objectType": "Agent", "mbox": "mailto:teacher@mooc.example"}
    rows[0]["context"] = {"instructor": teacher}
    assert measure(revise(rows), KEY).persons == 31


def test_what_tells_more_is_results_extensions_and_columns():
    assert tells_more("/result/score/raw")
    assert tells_more("/context/extensions/http:~1~1x")
    assert tells_more(None)
    assert not tells_more("/verb/id")
    assert not tells_more("/context/contextActivities/parent/-/id")


# ------------------------------------------------------------------------------ two real recipients


def received(name: str, learner: int, hour: int, **more: object) -> dict[str, Any]:
    return {
        "id": f"{name}-{learner}-{hour}",
        "actor": {"objectType": "Agent", "account": {"homePage": name, "name": f"{name}{learner}"}},
        "verb": {"id": "http://verb"},
        "object": {"id": "http://video"},
        "timestamp": f"2026-03-01T{hour:02d}:00:00Z",
        **more,
    }


def test_files_that_share_histories_are_joined():
    left = [received("a", n, n % 24) for n in range(20)]
    right = [received("b", n, n % 24) for n in range(20)]
    same = {f"a{n}": f"b{n}" for n in range(20)}
    found = best_join(left, right, same)
    assert (found.common, found.rows, found.histories, found.best) == (20, 1, 1, 1)


def test_rows_that_say_the_same_of_everybody_join_by_chance_only():
    left = [received("a", n, 8) for n in range(20)]
    right = [received("b", n, 8) for n in range(20)]
    found = best_join(left, right, {f"a{n}": f"b{n}" for n in range(20)})
    assert found.rows == 0
    assert found.histories == pytest.approx(1 / 20)


def test_only_what_both_hold_is_compared():
    left = [received("a", n, 8, result={"score": n}, extra=n) for n in range(20)]
    right = [received("b", n, 8, result={"score": n}) for n in range(20)]
    found = best_join(left, right, {f"a{n}": f"b{n}" for n in range(20)})
    assert found.best == 1
    assert "all values" in found.view


def test_a_precision_that_differs_is_bridged():
    left = [received("a", n, n % 24) for n in range(20)]
    right = [
        received("b", n, n % 24) | {"timestamp": f"2026-03-01T{n:02d}:17:00Z"} for n in range(20)
    ]
    found = best_join(left, right, {f"a{n}": f"b{n}" for n in range(20)})
    assert found.histories == 1
    assert found.view.startswith("hour")


def test_parts_of_a_history_are_enough():
    left = [(f"a{n}", (n, row)) for n in range(30) for row in range(10) if (n + row) % 2]
    right = [(f"b{n}", (n, row)) for n in range(30) for row in range(10) if (n + row) % 3]
    found = join(left, right, {f"a{n}": f"b{n}" for n in range(30)})
    assert found.histories == 1


def test_who_is_not_there_is_linked_to_nobody():
    assert join([], [], {}) == Joined(0, 0, 0)
    assert join([("a", (1,))], [("b", (2,))], {"a": "b"}).best == 0


def test_columns_join_like_rows():
    left = [{"who": f"a{n}", "score": n, "region": "IDF"} for n in range(15)]
    right = [{"who": f"b{n}", "score": n, "band": 1} for n in range(15)]
    same = {f"a{n}": f"b{n}" for n in range(15)}
    ours = risk.column_rows(left, "who", ["score"])
    theirs = risk.column_rows(right, "who", ["score"])
    assert join(ours, theirs, same).best == 1


# ----------------------------------------------------------------------------------- real traces


@pytest.fixture(scope="module")
def fun(official: Callable[[str], Path], tmp_path_factory: Any, about: About) -> Path:
    """The revision of the 22,000 FUN statements."""
    folder = Path(tmp_path_factory.mktemp("fun")) / "revision"
    build(
        official(FUN),
        folder=folder,
        declaration=about,
        subject_secret=b"k" * 32,
        random=SeededIds().token,
    )
    return folder


@pytest.mark.slow
def test_real_traces_are_as_linkable_as_measured_before(fun: Path):
    """Near what an earlier, independent prototype found; docs/linkage.md has the table."""
    with Revision.open(fun) as revision:
        found = measure(revision, risk.key_of(revision.meta.id))
    assert (found.rows, found.persons, found.sampled) == (22_000, 1_452, False)
    told = found.document()
    expected = {"second": 100, "minute": 100, "hour": 98.9, "day": 90.4, "none": 78.7}
    assert told["histories"] == expected
    prototype = {
        ("minute", False): 100,
        ("hour", False): 99.5,
        ("hour", True): 99.7,
        ("day", False): 94.9,
        ("day", True): 96.1,
        ("none", True): 90.9,
    }
    shares = {(one["time"], one["extensions"]): one["linked"] for one in told["figures"]}
    for treatment, share in prototype.items():
        assert abs(shares[treatment] - share) < 1, treatment
    # The prototype did not count how often a row stood there, and found 65.7.
    assert 80 < shares["none", False] < 90


@pytest.mark.slow
@pytest.mark.parametrize(("time", "at_least"), [("hour", 0.98), ("day", 0.92), ("none", 0.8)])
def test_two_released_files_are_really_joined(fun: Path, time: str, at_least: float):
    """What is announced is what two recipients find, on the bytes that they receive."""
    with Revision.open(fun) as revision:
        pairs = risk._consents(risk.key_of(revision.meta.id), revision.meta.persons)
        left, right = (
            released(revision, time, who, bits)
            for who, bits in zip(("did:web:a", "did:web:b"), pairs[0], strict=True)
        )
        common = [n for n in range(revision.meta.persons) if pairs[0][0][n] and pairs[0][1][n]]
        same = {
            pseudonym(keys("did:web:a").pseudonym, revision.subject(n)): pseudonym(
                keys("did:web:b").pseudonym, revision.subject(n)
            )
            for n in common
        }
        announced = linked(measure(revision, risk.key_of(revision.meta.id)))[time, False]
    found = best_join(left, right, same)
    assert found.common == len(common) > 650
    assert found.histories >= at_least
    assert abs(found.histories - announced) < 0.03


def keys(recipient: str) -> Any:
    return release_keys(b"p" * 32, recipient, "http://purpose", f"urn:uuid:{recipient}")


def released(revision: Revision, time: str, recipient: str, bits: bytearray) -> Rows:
    """What a recipient receives: results and extensions cut."""
    fields = [
        PlanField(field.name, field.type, field.pointer)
        for field in revision.meta.codebook
        if not tells_more(field.pointer)
    ]
    wanted = Projection.of(fields, home=recipient, precision=time)
    limits = Limits(10**9, 10**9)
    part = encode_part(revision, wanted, keys(recipient), bits, 0, None, limits)
    return [json.loads(line) for line in part.body.splitlines()]
