"""Releases: only agreed paths, only allowed persons, the same bytes each time."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.dataplane.about import About
from connector.dataplane.building import build
from connector.dataplane.projection import Projection, check_fields
from connector.dataplane.release import (
    Encoded,
    Limits,
    ReleaseKeys,
    count_persons,
    encode_part,
    release_keys,
)
from connector.dataplane.revision import Revision
from connector.dataplane.treat import invert
from policies.consent import Scope
from policies.plan import ConsentScope, Plan, PlanField, Rows, Treatments
from policies.problem import Problem
from tests.support.ids import SeededIds

Make = Callable[..., dict[str, Any]]
Revise = Callable[..., Revision]

AGREEMENT = "urn:uuid:00000000-0000-8000-8000-00000000000a"
KEYS = release_keys(b"p" * 32, "did:web:lab.example", "http://purpose", AGREEMENT)
ALL = Limits(rows=10**9, bytes=10**9)


def projection(*fields: str, precision: str = "hour", **period: int) -> Projection:
    """Fields as pointers; a leading "@" says agent."""
    listed = [
        PlanField(text.lstrip("@"), "agent" if text[0] == "@" else "string", text.lstrip("@"))
        for text in fields
    ]
    return Projection.of(listed, home=AGREEMENT, precision=precision, **period)


def full(revision: Revision, precision: str = "hour") -> Projection:
    return Projection.of(
        [PlanField(f.name, f.type, f.pointer) for f in revision.meta.codebook],
        home=AGREEMENT,
        precision=precision,
    )


def everyone(revision: Revision) -> bytearray:
    return bytearray(b"\1" * revision.meta.persons)


def encoded(
    revision: Revision, wanted: Projection, bits: bytearray | None = None, keys: ReleaseKeys = KEYS
) -> Encoded:
    return encode_part(
        revision, wanted, keys, everyone(revision) if bits is None else bits, 0, None, ALL
    )


def values(part: Encoded) -> list[Any]:
    return [json.loads(line) for line in part.body.splitlines()]


# One agent and one group: every treatment, one line each.
GOLDEN = (
    '{"actor":{"objectType":"Agent","account":{"homePage":"urn:uuid:00000000-0000-800'
    '0-8000-00000000000a","name":"KA4ESZXKKO5BWFM6ZXWLOPP67Z"}},"id":"0b2f24c5-d4a8-3'
    '914-aa3c-a28d952367db","object":{"id":"http://mooc.example/video/1","objectType"'
    ':"Activity"},"result":{"extensions":{"http://é/x":"à"},"score":{"scaled":0.5}},"'
    'timestamp":"2026-03-01T10:00:00Z","verb":{"id":"http://adlnet.gov/expapi/verbs/e'
    'xperienced"}}\n'
    '{"actor":{"objectType":"Group","member":[{"objectType":"Agent","account":{"homeP'
    'age":"urn:uuid:00000000-0000-8000-8000-00000000000a","name":"QUFD4FGIBR454PGTRJ4'
    'V5BFPGC"}},{"objectType":"Agent","account":{"homePage":"urn:uuid:00000000-0000-8'
    '000-8000-00000000000a","name":"MU2XL622Q4MT532QNBULNJ425F"}}]},"id":"5a65a9a2-b4'
    '37-a023-09d7-b25b6cb7a120","object":{"id":"0b2f24c5-d4a8-3914-aa3c-a28d952367db"'
    ',"objectType":"StatementRef"},"result":{"score":{"scaled":1.10}},"timestamp":"20'
    '26-03-01T21:00:00Z","verb":{"id":"http://v"}}\n'
)


def test_golden_bytes(statement: Make, revise: Revise):
    """If these bytes change, ENCODER must change with them (X3)."""
    group = (
        b'{"id":"00000000-0000-4000-8000-000000000002","actor":{"objectType":"Group","member":'
        b'[{"mbox":"mailto:bob@x.y","name":"Bob"},{"openid":"http://cid.example"}]},'
        b'"verb":{"id":"http://v"},"object":{"objectType":"StatementRef",'
        b'"id":"00000000-0000-4000-8000-000000000001"},'
        b'"result":{"score":{"scaled":1.10}},"timestamp":"2026-03-01T23:59:59.999+02:00"}'
    )
    result = {"score": {"scaled": 0.5}, "extensions": {"http://é/x": "à"}}
    revision = revise([statement(1, result=result), group])
    assert encoded(revision, full(revision)).body.decode() == GOLDEN


def test_only_agreed_paths_leave(statement: Make, revise: Revise):
    row = statement(
        1,
        result={"score": {"scaled": 1, "raw": 2}, "extensions": {"http://x": 1, "http://y": 2}},
        context={"contextActivities": {"parent": [{"id": "http://p", "objectType": "Activity"}]}},
    )
    revision = revise([row])
    wanted = projection(
        "/result/score/scaled",
        "/result/extensions/http:~1~1x",
        "/context/contextActivities/parent/-/id",
        "/nothing/like/this",
    )
    assert values(encoded(revision, wanted)) == [
        {
            "context": {"contextActivities": {"parent": [{"id": "http://p"}]}},
            "result": {"extensions": {"http://x": 1}, "score": {"scaled": 1}},
        }
    ]


def test_a_leaf_that_became_a_container_does_not_leave(statement: Make, revise: Revise):
    rows = [
        statement(1, result={"extensions": {"http://x": {"name": "Ann"}}}),
        statement(2, result={"extensions": {"http://x": ["Ann"]}}),
        statement(3, result={"extensions": {"http://x": "yes"}}),
    ]
    revision = revise(rows)
    found = values(encoded(revision, projection("/result/extensions/http:~1~1x")))
    assert sorted(map(str, found)) == sorted(
        map(str, [{}, {}, {"result": {"extensions": {"http://x": "yes"}}}])
    )


def test_agents_leave_as_pseudonyms_only_where_agreed(statement: Make, revise: Revise):
    row = statement(
        1,
        actor={"mbox": "mailto:ann@x.y", "name": "Ann"},
        object={"objectType": "Agent", "mbox": "mailto:bob@x.y", "id": "leak"},
        context={"instructor": {"mbox_sha1sum": hashlib.sha1(b"mailto:ann@x.y").hexdigest()}},
        authority={"openid": "http://lrs.example"},
    )
    revision = revise([row])
    wanted = projection("@/actor", "@/context/instructor", "/object/id", "/authority/openid")
    (found,) = values(encoded(revision, wanted))
    assert set(found) == {"actor", "context"}
    assert found["actor"] == found["context"]["instructor"]  # one person by two identifiers
    account = found["actor"]["account"]
    assert account["homePage"] == AGREEMENT
    assert len(account["name"]) == 26
    assert set(found["actor"]) == {"objectType", "account"}


def test_each_person_of_a_row_gets_their_own_pseudonym(statement: Make, revise: Revise):
    agents = {name: {"mbox": f"mailto:{name}@x.y"} for name in ("ann", "bob", "cid")}
    team = {"objectType": "Group", "openid": "http://team", "name": "Reds"}
    rows: list[object] = [statement(n, actor=agent) for n, agent in enumerate(agents.values())]
    rows.append(
        statement(
            9,
            actor=agents["cid"],
            object=agents["bob"] | {"objectType": "Agent"},
            authority=agents["ann"],
            context={"team": team | {"member": [agents["bob"], agents["ann"]]}},
        )
    )
    revision = revise(rows)
    found = {row["id"]: row for row in values(encoded(revision, full(revision)))}
    single = {row["actor"]["account"]["name"] for row in found.values() if "authority" not in row}
    (group,) = [row for row in found.values() if "authority" in row]
    assert len(single) == 3

    def name(agent: dict[str, Any]) -> str:
        return str(agent["account"]["name"])

    trio = [name(group["actor"]), name(group["object"]), name(group["authority"])]
    assert set(trio) == single
    members = group["context"]["team"]["member"]
    assert [name(member) for member in members] == [trio[1], trio[2]]
    assert name(group["context"]["team"]) not in single
    assert set(group["context"]["team"]) == {"objectType", "account", "member"}


def test_every_person_must_be_allowed(statement: Make, revise: Revise):
    group = {"objectType": "Group", "member": [{"mbox": f"mailto:{n}@x.y"} for n in "ab"]}
    revision = revise([statement(1, person="ann"), statement(2, actor=group)])
    for blocked in range(revision.meta.persons):
        bits = everyone(revision)
        bits[blocked] = 0
        part = encoded(revision, projection("/id"), bits)
        assert part.rows == 1
        assert part.withheld == {"consent": 1}
        assert blocked not in part.persons


def test_unknown_persons_are_withheld_even_when_everybody_agrees(statement: Make, revise: Revise):
    odd = statement(1, result={"extensions": {"http://x": {"mbox": "mailto:a@b.c"}}})
    revision = revise([odd, statement(2)])
    part = encoded(revision, full(revision))
    assert part.rows == 1
    assert part.withheld == {"unknown-person": 1}


def test_record_time_is_half_open(statement: Make, revise: Revise):
    hours = ["09:59:59.999999", "10:00:00", "10:59:59.999999", "11:00:00"]
    rows = [statement(n, timestamp=f"2026-03-01T{hour}Z") for n, hour in enumerate(hours)]
    revision = revise([*rows, statement(9, timestamp=None)])
    first = 1_772_359_200_000_000
    part = encoded(revision, projection("/id", first=first, end=first + 3_600_000_000))
    assert part.rows == 2
    assert part.withheld == {"period": 2, "no-time": 1}
    assert encoded(revision, projection("/id")).rows == 5


def test_times_are_generalised_wherever_they_stand(statement: Make, revise: Revise):
    extensions = {
        "http://a": "2026-03-01T10:20:30Z",
        "http://b": "2026-03-01 10:20:30.123",
        "http://c": "20260301T102030Z",
        "http://d": "2026-03-01T23:59:60Z",
        "http://e": "2026-03-01T10:20:30Z was the time",
        "http://f": "2026-03-01",
        "http://g": "20260301102030",
    }
    revision = revise(
        [statement(1, stored="2026-03-01T12:00:01+01:00", result={"extensions": extensions})]
    )
    (found,) = values(encoded(revision, full(revision)))
    assert found["timestamp"] == "2026-03-01T10:00:00Z"
    assert found["stored"] == "2026-03-01T11:00:00Z"
    assert found["result"]["extensions"] == {
        "http://a": "2026-03-01T10:00:00Z",
        "http://b": "2026-03-01T10:00:00Z",
        "http://c": "2026-03-01T10:00:00Z",
        "http://e": "2026-03-01T10:20:30Z was the time",
        "http://f": "2026-03-01",
        "http://g": "20260301102030",
    }
    (found,) = values(encoded(revision, full(revision, "none")))
    assert "timestamp" not in found
    assert set(found["result"]["extensions"]) == {"http://e", "http://g"}


def test_ids_are_rekeyed_and_names_of_things_are_not(statement: Make, revise: Revise):
    thing = "urn:uuid:00000000-0000-4000-8000-0000000000ff"
    one = statement(1)["id"]
    rows = [
        statement(1, object={"id": thing}),
        statement(
            2,
            object={"objectType": "StatementRef", "id": one},
            context={
                "registration": one.upper(),
                "statement": {"objectType": "StatementRef", "id": one},
                "extensions": {
                    "http://s": one,
                    "http://l": [one, "x"],
                    "http://u": f"urn:uuid:{one}",
                },
            },
        ),
    ]
    revision = revise(rows)
    found = values(encoded(revision, full(revision)))
    first = next(row for row in found if "context" not in row)
    second = next(row for row in found if "context" in row)
    assert first["object"] == {"id": thing}
    released = first["id"]
    assert released != one
    assert invert(KEYS.ids, released) == one
    assert second["object"]["id"] == released
    assert second["context"]["registration"] == released
    assert second["context"]["statement"]["id"] == released
    assert second["context"]["extensions"] == {
        "http://s": released,
        "http://l": [released, "x"],
        "http://u": f"urn:uuid:{released}",
    }


def test_number_spelling_is_kept(statement: Make, revise: Revise):
    line = json.dumps(statement(1, result={"score": {"raw": 0}}))
    spelled = ["1.10", "1E2", "-0.0", "123456789012345678901234567890", "0.1", "7"]
    rows = [
        line.replace('"raw": 0', f'"raw": {text}').replace("000001", f"{n:06d}").encode()
        for n, text in enumerate(spelled)
    ]
    revision = revise(rows)
    part = encoded(revision, projection("/result/score/raw"))
    lines = {f'{{"result":{{"score":{{"raw":{text}}}}}}}'.encode() for text in spelled}
    assert set(part.body.splitlines()) == lines


class TestParts:
    @pytest.fixture
    def revision(self, statement: Make, revise: Revise) -> Revision:
        return revise([statement(n, person=f"p{n % 10}") for n in range(100)])

    def parts(self, revision: Revision, bits: bytearray, limits: Limits) -> Iterator[Encoded]:
        start = 0
        while start < revision.rows:
            part = encode_part(revision, projection("/id"), KEYS, bits, start, None, limits)
            assert part.start == start
            yield part
            start = part.stop

    @pytest.mark.parametrize("limits", [Limits(7, 10**9), Limits(10**9, 500), Limits(1, 1), ALL])
    @pytest.mark.parametrize("blocked", [(), (3,), (0, 1, 2, 4, 5, 6, 7, 8)])
    def test_limits_count_what_is_released(
        self, revision: Revision, limits: Limits, blocked: tuple[int, ...]
    ):
        bits = everyone(revision)
        for number in blocked:
            bits[number] = 0
        parts = list(self.parts(revision, bits, limits))
        whole = encoded(revision, projection("/id"), bits)
        assert Counter(b"".join(part.body for part in parts).splitlines()) == Counter(
            whole.body.splitlines()
        )
        assert sum(part.rows for part in parts) == 100 - 10 * len(blocked)
        for part in parts[:-1]:
            assert part.rows <= limits.rows
            assert len(part.body) <= limits.bytes or part.rows == 1
            full_rows = part.rows == limits.rows
            assert full_rows or len(part.body) + 46 > limits.bytes
        assert all(part.rows for part in parts), "an empty part would tell of refusals"

    def test_a_range_issued_before_is_encoded_again(self, revision: Revision):
        bits = everyone(revision)
        first = encode_part(revision, projection("/id"), KEYS, bits, 0, None, Limits(30, 10**9))
        again = encode_part(revision, projection("/id"), KEYS, bits, 0, first.stop, Limits(1, 1))
        assert again == first
        bits[revision.persons(0)[0]] = 0
        less = encode_part(revision, projection("/id"), KEYS, bits, 0, first.stop, Limits(1, 1))
        assert (less.start, less.stop) == (first.start, first.stop)
        assert less.rows < first.rows
        assert set(less.body.splitlines()) < set(first.body.splitlines())

    def test_order_inside_a_part_belongs_to_the_agreement(self, revision: Revision):
        other = release_keys(b"p" * 32, "did:web:lab.example", "http://purpose", "urn:uuid:b")
        one = values(encoded(revision, projection("/timestamp", "@/actor")))
        two = values(encoded(revision, projection("/timestamp", "@/actor"), keys=other))
        order = [row["actor"]["account"]["name"] for row in one]
        assert order != [row["actor"]["account"]["name"] for row in two]
        source = [json.loads(revision.line(n))["id"] for n in range(revision.rows)]
        released = [
            invert(KEYS.ids, row["id"]) for row in values(encoded(revision, projection("/id")))
        ]
        assert released != source
        assert sorted(released) == sorted(source)

    def test_nobody_is_an_empty_part(self, revision: Revision):
        part = encoded(revision, projection("/id"), bytearray(revision.meta.persons))
        assert (part.rows, part.body, part.stop) == (0, b"", 100)
        assert part.withheld == {"consent": 100}

    def test_the_floor_is_counted_without_encoding(self, revision: Revision):
        bits = everyone(revision)
        assert count_persons(revision, projection("/id"), bits, 10) == 10
        assert count_persons(revision, projection("/id"), bits, 4) == 4
        bits[2] = 0
        assert count_persons(revision, projection("/id"), bits, 10) == 9
        assert count_persons(revision, projection("/id", end=0), bits, 10) == 0


class TestKeys:
    def test_each_ingredient_counts(self):
        base = ("did:web:lab", "http://p", "urn:uuid:a")
        keys = [release_keys(b"p" * 32, *base)]
        for at in range(3):
            changed = [*base]
            changed[at] += "x"
            keys.append(release_keys(b"p" * 32, *changed))
        keys.append(release_keys(b"q" * 32, *base))
        for name in ("pseudonym", "ids", "order"):
            assert len({getattr(key, name) for key in keys}) == 5
        assert len({keys[0].pseudonym, keys[0].ids, keys[0].order}) == 3

    def test_longitudinal_leaves_out_the_agreement_for_pseudonyms_only(self):
        one = release_keys(b"p" * 32, "d", "p", "a", longitudinal=True)
        other = release_keys(b"p" * 32, "d", "p", "b", longitudinal=True)
        assert one.pseudonym == other.pseudonym
        assert one.pseudonym != release_keys(b"p" * 32, "d", "p", "a").pseudonym
        assert one.ids != other.ids
        assert one.order != other.order


class TestPlans:
    def plan(self, **changes: Any) -> Plan:
        members: dict[str, Any] = {
            "agreement": AGREEMENT,
            "policy": "sha-256:00",
            "dataset": "http://d",
            "rows": Rows(
                datetime(2026, 3, 1, tzinfo=UTC),
                datetime(2026, 4, 1, tzinfo=UTC),
                ConsentScope(Scope("did:web:lab", "http://p", "http://c"), "consent"),
            ),
            "fields": (PlanField("id", "uuid", "/id", treatment="rekey"),),
            "treatments": Treatments(time="day"),
            **changes,
        }
        return Plan(**members)

    def test_a_plan_becomes_a_projection(self):
        found = Projection.compile(self.plan())
        assert found.home == AGREEMENT
        assert found.precision == "day"
        assert found.first == int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 10**6
        assert found.end is not None
        assert found.end - (found.first or 0) == timedelta(days=31) // timedelta(microseconds=1)

    def test_what_cannot_be_held_is_refused(self):
        table = (PlanField("x", "string", column="x"),)
        for plan in (self.plan(treatments=None), self.plan(fields=table)):
            with pytest.raises(Problem, match="dataplane-plan-unsupported"):
                Projection.compile(plan)
        with pytest.raises(Problem, match="dataplane-plan-unsupported"):
            projection("/id", precision="week")
        with pytest.raises(Problem, match="dataplane-plan-unsupported"):
            projection("id")

    def test_drift_suspends(self, statement: Make, revise: Revise):
        codebook = revise([statement(1)]).meta.codebook
        check_fields(self.plan(), codebook)
        for field in (PlanField("id", "string", "/id"), PlanField("x", "uuid", "/x")):
            with pytest.raises(Problem, match="dataplane-plan-drift"):
                check_fields(self.plan(fields=(field,)), codebook)


# ------------------------------------------------------------------------------ random statements

WORDS = st.sampled_from(["alpha", "beta", "gamma", "http://x.example/k", "a/b~c", "-", "0", "été"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.sampled_from([0.5, 1.25, 1e-7])
    | st.sampled_from(["red", "blue", "2026-03-01T10:20:30Z"])
    | st.uuids().map(str)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["ann-secret", "bob-secret", "cid-secret", "dan-secret"])
AGENTS = (
    NAMES.map(lambda name: {"mbox": f"mailto:{name}@x.y", "name": name})
    | NAMES.map(lambda name: {"account": {"homePage": "http://h-secret.example", "name": name}})
    | NAMES.map(lambda name: {"openid": f"http://{name}.example/"})
)
GROUPS = st.lists(AGENTS, min_size=1, max_size=3).map(
    lambda members: {"objectType": "Group", "name": "group-secret", "member": members}
)
ACTORS = AGENTS | GROUPS
STATEMENTS = st.builds(
    lambda id, actor, result, extensions, instructor, thing: {
        "id": id,
        "actor": actor,
        "verb": {"id": "http://verb.example/did"},
        "object": thing,
        "result": {"extensions": result},
        "context": {"extensions": extensions}
        | ({} if instructor is None else {"instructor": instructor}),
        "timestamp": "2026-03-01T10:20:30Z",
    },
    st.uuids().map(str),
    ACTORS,
    st.dictionaries(WORDS, TREES, max_size=3),
    st.dictionaries(WORDS, TREES | AGENTS, max_size=2),
    st.none() | AGENTS,
    st.just({"id": "http://thing.example/1"})
    | AGENTS.map(lambda agent: agent | {"objectType": "Agent"}),
)


def paths(value: object, path: str = "") -> Iterator[str]:
    """Pointers of all scalar leaves, agents taken as one."""
    if isinstance(value, dict):
        if "account" in value or value.get("objectType") == "Group":
            yield path
            return
        for key, item in value.items():
            yield from paths(item, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, f"{path}/-")
    else:
        yield path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    rows=st.lists(STATEMENTS, min_size=1, max_size=6, unique_by=lambda row: row["id"]),
    data=st.data(),
)
def test_whatever_the_rows_nothing_else_leaves(
    tmp_path: Path, about: About, rows: list[dict[str, Any]], data: st.DataObject
):
    """No path outside the allow-list, nobody's identifier, one-to-one pseudonyms and ids."""
    folder = Path(mkdtemp(dir=tmp_path)) / "revision"
    source = folder.with_name("source.jsonl")
    source.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    build(
        source,
        folder=folder,
        declaration=about,
        subject_secret=b"k" * 32,
        random=SeededIds().token,
    )
    with Revision.open(folder) as revision:
        codebook = revision.meta.codebook
        agreed = [field for field in codebook if data.draw(st.booleans(), label=field.name)]
        pointers = {field.pointer for field in agreed}
        bits = bytearray(
            data.draw(
                st.lists(
                    st.integers(0, 1),
                    min_size=len(everyone(revision)),
                    max_size=len(everyone(revision)),
                )
            )
        )
        wanted = Projection.of(
            [PlanField(f.name, f.type, f.pointer) for f in agreed], home=AGREEMENT, precision="hour"
        )
        part = encoded(revision, wanted, bits)
        assert b"secret" not in part.body
        assert b":20:30" not in part.body
        for row in rows:
            assert row["id"].encode() not in part.body
        for value in values(part):
            assert set(paths(value)) <= pointers | {""}
        assert encoded(revision, wanted, bits) == part
        released = part.rows + sum(part.withheld.values())
        assert released == revision.rows == len(rows)
        if "/id" in pointers:
            inverted = [invert(KEYS.ids, value["id"]) for value in values(part)]
            assert len(set(inverted)) == part.rows
            assert set(inverted) <= {row["id"] for row in rows}
