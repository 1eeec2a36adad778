"""The strict walk: what is a fault, who is in a row, and which rows never leave."""

import json
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.dataplane.rows import (
    LEXEMES,
    MANY,
    NO_TIME,
    UNKNOWN_PERSON,
    RowFault,
    Walked,
    Walker,
    exact,
    micros,
    parse,
    people,
    same_statement,
)
from connector.subjects.keys import Identifier, canonical

ID = '"id":"00000000-0000-4000-8000-000000000001"'
ACTOR = '"actor":{"mbox":"mailto:ann@mooc.example"}'
VERB = '"verb":{"id":"http://v"}'
THING = '"object":{"id":"http://o"}'
TIME = '"timestamp":"2026-03-01T10:00:00Z"'


def row(*more: str, id: str = ID, actor: str = ACTOR, thing: str = THING, time: str = TIME) -> str:
    return "{" + ",".join(part for part in (id, actor, VERB, thing, time, *more) if part) + "}"


def walk(line: str | bytes) -> Walked:
    numbers: dict[str, int] = {}
    walker = Walker(lambda person: numbers.setdefault(canonical(person), len(numbers)))
    return walker.walk(line if isinstance(line, bytes) else line.encode())


FAULTS = {
    "empty": ("", "not-json"),
    "text": ("hello", "not-json"),
    "two values": (row() + row(), "not-json"),
    "trailing comma": (row()[:-1] + ",}", "not-json"),
    "single quotes": (row().replace('"', "'"), "not-json"),
    "comment": (row() + "//", "not-json"),
    "cut off": (row()[:-20], "not-json"),
    "NaN": (row('"result":{"score":{"raw":NaN}}'), "not-json"),
    "infinity": (row('"result":{"score":{"raw":Infinity}}'), "not-json"),
    "number too large": (row('"result":{"score":{"raw":1E400}}'), "not-json"),
    "leading zero": (row('"result":{"score":{"raw":01}}'), "not-json"),
    "lone surrogate": (row(r'"version":"\ud800"'), "not-json"),
    "control character": (row('"version":"a\tb"'), "not-json"),
    "not UTF-8": (row('"version":"é"').encode("latin-1"), "not-json"),
    "array": ("[" + row() + "]", "not-an-object"),
    "null": ("null", "not-an-object"),
    "number": ("42", "not-an-object"),
    "duplicate key": (row(ID), "duplicate-key"),
    "duplicate actor": (row(ACTOR), "duplicate-key"),
    "duplicate key in an extension": (
        row('"result":{"extensions":{"http://x":1,"http://x":1}}'),
        "duplicate-key",
    ),
    "duplicate key by escape": (row(r'"\u0061ctor":{"mbox":"mailto:b@c.d"}'), "duplicate-key"),
    "duplicate key by blanks in another": (
        row('"result":{"extensions":{"a b":1,"ab":2,"ab":2}}'),
        "duplicate-key",
    ),
    "too deep": (row('"result":' + '{"a":' * 70 + "1" + "}" * 70), "too-deep"),
    "too deep, arrays": (row('"result":{"a":' + "[" * 70 + "]" * 70 + "}"), "too-deep"),
    "deeper than the parser": (row('"result":' + "[" * 2000 + "]" * 2000), "not-json"),
    "deeper than the writer": (row('"result":' + "[" * 300 + "]" * 300), "too-deep"),
    "no id": (row(id=""), "id-invalid"),
    "id is a number": (row(id='"id":7'), "id-invalid"),
    "id is no UUID": (row(id='"id":"one"'), "id-invalid"),
    "id with a prefix": (
        row(id='"id":"urn:uuid:00000000-0000-4000-8000-000000000001"'),
        "id-invalid",
    ),
    "no actor": (row(actor=""), "actor-invalid"),
    "actor null": (row(actor='"actor":null'), "actor-invalid"),
    "actor text": (row(actor='"actor":"ann"'), "actor-invalid"),
    "actor list": (row(actor='"actor":[{"mbox":"mailto:a@b.c"}]'), "actor-invalid"),
    "actor without identifier": (row(actor='"actor":{"name":"Ann"}'), "actor-invalid"),
    "actor with two identifiers": (
        row(actor='"actor":{"mbox":"mailto:a@b.c","openid":"http://a"}'),
        "actor-invalid",
    ),
    "actor with a bad address": (row(actor='"actor":{"mbox":"ann"}'), "actor-invalid"),
    "actor with a bad sum": (row(actor='"actor":{"mbox_sha1sum":"12"}'), "actor-invalid"),
    "actor with a bad home": (
        row(actor='"actor":{"account":{"homePage":"x","name":"a"}}'),
        "actor-invalid",
    ),
    "actor is an activity": (
        row(actor='"actor":{"objectType":"Activity","mbox":"mailto:a@b.c"}'),
        "actor-invalid",
    ),
    "empty group": (row(actor='"actor":{"objectType":"Group"}'), "actor-invalid"),
    "group with a nobody": (
        row(actor='"actor":{"objectType":"Group","member":[{"name":"x"}]}'),
        "actor-invalid",
    ),
    "group in a group": (
        row(
            actor='"actor":{"objectType":"Group","member":'
            '[{"objectType":"Group","member":[{"mbox":"mailto:a@b.c"}]}]}'
        ),
        "actor-invalid",
    ),
    "members without a group": (
        row(actor='"actor":{"mbox":"mailto:a@b.c","member":[{"mbox":"mailto:d@e.f"}]}'),
        "actor-invalid",
    ),
    "time is a word": (row(time='"timestamp":"yesterday"'), "time-invalid"),
    "time without offset": (row(time='"timestamp":"2026-03-01T10:00:00"'), "time-invalid"),
    "time is a number": (row(time='"timestamp":1772359200'), "time-invalid"),
    "no such day": (row(time='"timestamp":"2026-02-30T10:00:00Z"'), "time-invalid"),
    "stored is broken": (row(time='"stored":"x"'), "time-invalid"),
}


@pytest.mark.parametrize(("line", "reason"), FAULTS.values(), ids=FAULTS)
def test_faults(line: str | bytes, reason: str):
    with pytest.raises(RowFault) as caught:
        walk(line)
    assert caught.value.reason == reason


BOB = '{"mbox":"mailto:bob@mooc.example"}'
BEN = '{"openid":"http://ben.example"}'
SUB = (
    '"object":{"objectType":"SubStatement","actor":' + BOB + ',"verb":{"id":"http://v"},'
    '"object":{"id":"http://o"}}'
)
# Positions where xAPI has agents: how many persons are in the row.
PERSONS = {
    "actor": (row(), 1),
    "actor twice": (row('"authority":{"mbox":"MAILTO:Ann@mooc.example"}'), 1),
    "group actor": (
        row(actor=f'"actor":{{"objectType":"Group","member":[{BOB},{BEN}]}}'),
        2,
    ),
    "identified group": (
        row(actor=f'"actor":{{"objectType":"Group","mbox":"mailto:g@x.y","member":[{BOB},{BEN}]}}'),
        3,
    ),
    "object agent": (row(thing='"object":{"objectType":"Agent","mbox":"mailto:z@x.y"}'), 2),
    "object group": (
        row(thing=f'"object":{{"objectType":"Group","member":[{BOB},{BEN}]}}'),
        3,
    ),
    "substatement": (row(thing=SUB), 2),
    "instructor": (row('"context":{"instructor":' + BOB + "}"), 2),
    "team": (
        row('"context":{"team":{"objectType":"Group","member":[' + BOB + "]}}"),
        2,
    ),
    "authority": (row('"authority":' + BEN), 2),
    "context agents": (
        row('"context":{"contextAgents":[{"objectType":"contextAgent","agent":' + BOB + "}]}"),
        2,
    ),
    "context groups": (
        row('"context":{"contextGroups":[{"group":{"objectType":"Group","mbox":"mailto:g@x.y"}}]}'),
        2,
    ),
}


@pytest.mark.parametrize(("line", "count"), PERSONS.values(), ids=PERSONS)
def test_every_person_is_met(line: str, count: int):
    walked = walk(line)
    assert len(walked.persons) == count
    assert bool(walked.flags & MANY) == (count > 1)
    assert not walked.flags & UNKNOWN_PERSON
    assert list(people(json.loads(line)).values()) == list(range(count))


UNKNOWN = {
    "in a result extension": row('"result":{"extensions":{"http://x":' + BOB + "}}"),
    "in a context extension": row('"context":{"extensions":{"http://x":{"y":[' + BOB + "]}}}"),
    "in an activity": row(
        thing='"object":{"id":"http://o","definition":{"extensions":{"http://x":' + BOB + "}}}"
    ),
    "an account in an activity": row(thing='"object":{"id":"http://o","account":{"name":"x"}}'),
    "a bare account": row(
        '"result":{"extensions":{"http://x":{"homePage":"http://h","name":"ann"}}}'
    ),
    "an agent without identifier": row(
        '"result":{"extensions":{"http://x":{"objectType":"Agent","name":"Ann"}}}'
    ),
    "a group": row('"result":{"extensions":{"http://x":{"objectType":"Group","member":[]}}}'),
    "in a context activity": row('"context":{"contextActivities":{"parent":[' + BOB + "]}}"),
    "in the verb": row().replace('"http://v"}', '"http://v","openid":"http://x"}'),
    "in an attachment": row('"attachments":[{"usageType":"http://u","owner":' + BOB + "}]"),
    "in an unknown member": row('"learner":' + BOB),
    "at the root": row('"mbox":"mailto:a@b.c"'),
    "beside the context": row('"context":{"account":{"name":"x"}}'),
    "an instructor without identifier": row('"context":{"instructor":{"name":"Bob"}}'),
    "an instructor as text": row('"context":{"instructor":"Bob"}'),
    "a team as text": row('"context":{"team":"the blue team"}'),
    "an authority as text": row('"authority":"Bob"'),
    "an object agent without identifier": row(thing='"object":{"objectType":"Agent"}'),
    "a substatement without actor": row(
        thing='"object":{"objectType":"SubStatement","object":{"id":"http://o"}}'
    ),
    "a substatement in a substatement": row(
        thing='"object":{"objectType":"SubStatement","actor":' + BOB + "," + SUB + "}"
    ),
    "context agents as an object": row('"context":{"contextAgents":{"agent":' + BOB + "}}"),
    "a context agent without agent": row('"context":{"contextAgents":[{"person":' + BOB + "}]}"),
    "a key spelled with escapes": row(
        r'"result":{"extensions":{"http://x":{"\u006dbox":"mailto:a@b.c"}}}'
    ),
}


@pytest.mark.parametrize("line", UNKNOWN.values(), ids=UNKNOWN)
def test_agents_in_unknown_places_withhold_the_row(line: str):
    assert walk(line).flags & UNKNOWN_PERSON
    # Also when the shape of the row was met before.
    walker = Walker(lambda _: 0)
    walker.walk(row().encode())
    assert walker.walk(line.encode()).flags & UNKNOWN_PERSON
    assert walker.walk(line.encode()).flags & UNKNOWN_PERSON


def test_a_known_shape_with_another_object_type_is_noticed():
    walker = Walker(lambda _: 0)
    line = row('"result":{"extensions":{"http://x":{"objectType":"Thing","name":"Ann"}}}')
    for _ in range(3):
        assert not walker.walk(line.encode()).flags & UNKNOWN_PERSON
    assert walker.walk(line.replace("Thing", "Agent").encode()).flags & UNKNOWN_PERSON


VALID = {
    "blanks": (row().replace('":', '" : ').replace(",", " ,\t"), 0),
    "escapes": (row(r'"version":"\u0061\n"'), 0),
    "no time": (row(time=""), NO_TIME),
    "only stored": (row(time='"stored":"2026-03-01T10:00:00Z"'), 0),
    "offset": (row(time='"timestamp":"2026-03-01T11:00:00+01:00"'), 0),
    "trailing zero": (row('"result":{"score":{"raw":1.10}}'), LEXEMES),
    "exponent": (row('"result":{"score":{"raw":1e2}}'), LEXEMES),
    "a large number": (row('"result":{"score":{"raw":123456789012345678901234567890}}'), LEXEMES),
    "a plain float": (row('"result":{"score":{"raw":0.75}}'), 0),
    "no verb": (row().replace(VERB + ",", ""), 0),
    "a statement reference": (
        row(
            thing='"object":{"objectType":"StatementRef","id":"00000000-0000-4000-8000-000000000002"}'
        ),
        0,
    ),
    "an unknown member": (row('"colour":"blue"'), 0),
}


@pytest.mark.parametrize(("line", "flags"), VALID.values(), ids=VALID)
def test_valid_rows(line: str, flags: int):
    assert walk(line).flags == flags


def test_number_spelling_is_kept_by_exact():
    line = row('"result":{"score":{"raw":1.10,"max":1E2,"min":-0.0}}').encode()
    assert orjson.dumps(exact(line)) == line


def test_time_is_microseconds():
    assert micros("1970-01-01T00:00:01.5Z") == 1_500_000
    assert micros("1970-01-01T01:00:00+01:00") == 0
    assert micros("1970-01-01") is None
    assert micros(None) is None


def test_the_same_statement_is_told_from_another_one():
    one = row('"stored":"2026-03-01T10:00:00Z"').encode()
    other = row('"authority":' + BOB).replace('":', '": ').encode()
    assert same_statement(one, other)
    assert not same_statement(one, row('"version":"1.0.3"').encode())


def test_upper_case_ids_are_the_same_id():
    upper = ID.replace("-8000-", "-ABCD-")
    assert walk(row(id=upper)).id == upper[6:-1].lower()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_what_json_writes_is_accepted(value: object, indent: int | None, ascii_only: bool):
    line = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:  # a lone surrogate, say
        with pytest.raises(RowFault, match="not-json"):
            parse(line)
        return
    found, flags = parse(line)
    assert found == orjson.loads(line)
    if not flags:
        numbers: list[str] = []
        json.loads(line, parse_int=numbers.append, parse_float=numbers.append)
        for lexeme in numbers:
            assert orjson.dumps(orjson.loads(lexeme)) == lexeme.encode()


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "a b", "ab", "é"]), JSON), max_size=5))
def test_duplicate_keys_are_always_found(pairs: list[tuple[str, object]]):
    members = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs]
    line = ("{" + ", ".join(members) + "}").encode()
    twice = len({key for key, _ in pairs}) < len(pairs)
    if twice:
        with pytest.raises(RowFault, match=r"not-json|duplicate-key"):
            parse(line)
    else:
        assert parse(line)[0] == orjson.loads(line)


def test_identifiers_are_given_to_the_caller_as_written(statement: Callable[..., object]):
    met: list[Identifier] = []

    def person(identifier: Identifier) -> int:
        met.append(identifier)
        return 0

    Walker(person).walk(json.dumps(statement()).encode())
    assert met == [Identifier("account", "ann", "http://mooc.example")]
