"""The steward's declaration, read strictly."""

from datetime import UTC, datetime

import pytest

from connector.dataplane.about import (
    Basis,
    Bilingual,
    Dialect,
    Intelligence,
    Notice,
    Terms,
    parse,
)
from policies.problem import Problem

LEAST = """
id = "traces-2026"
kind = "xapi"
category = "https://w3id.org/preau/ns#LearningTraces"
title = { fr = "Traces", en = "Traces of learning" }
"""
FULL = (
    LEAST
    + """
description = { fr = "Une description", en = "A description" }
publisher = "FUN MOOC"
audience = "adults"
periodicity = "P1M"
until = 2027-12-31
retention = "P2Y"
retention_reason = "a cohort study"
group = "partners"
decisions = ["ethics", "dpo"]
personal = "yes"
dpia = "sha-256:00"
public_body = "yes"
roster = ["did:web:authority.example", "group:schools"]

[ai]
use = "yes"
reference = "register EU-AI 12"

[notice]
iri = "https://fun.example/notice"
version = "2"
text = "What we do"

[basis]
type = "consent"
reference = "art. 6(1)(a)"

[policy]
template = "research-under-consent"
params = { until = "2027-12-31T00:00:00Z" }

[[columns]]
name = "object.id"
personal = "indirect"

[[special]]
column = "disability"
condition = "9(2)(j)"
reference = "CNIL MR-004"

[[subjects]]
column = "student"
namespace = "https://school.example/ids"

[dialect]
encoding = "utf-8"
delimiter = ";"
"""
)


def test_the_least():
    about = parse(LEAST)
    assert about.title == Bilingual("Traces", "Traces of learning")
    assert about.audience is None
    assert about.until is None
    assert about.group == "public"
    assert about.personal is True
    assert about.decisions == ()
    assert about.dialect == Dialect("utf-8", ",", '"')


def test_everything():
    about = parse(b"\xef\xbb\xbf" + FULL.encode())
    assert about.until == datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert about.notice == Notice("https://fun.example/notice", "2", "What we do")
    assert about.basis == Basis("consent", "art. 6(1)(a)")
    assert about.policy == Terms("research-under-consent", {"until": "2027-12-31T00:00:00Z"})
    assert about.decisions == ("ethics", "dpo")
    assert [column.name for column in about.columns] == ["object.id"]
    assert about.special[0].condition == "9(2)(j)"
    assert about.subjects[0].namespace == "https://school.example/ids"
    assert about.dialect.delimiter == ";"
    assert about.roster == ("did:web:authority.example", "group:schools")
    assert about.ai == Intelligence(use=True, reference="register EU-AI 12")
    assert (about.service_condition, about.exclusive, about.public_body) == (False, False, True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2027-01-01T00:00:00Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ('"2027-01-01T01:00:00+01:00"', datetime(2027, 1, 1, tzinfo=UTC)),
        ('"2027-01-01"', datetime(2027, 1, 1, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_end_dates(value: str, expected: datetime):
    assert parse(LEAST + f"until = {value}\n").until == expected


WRONG = [
    ("= 1", "dataplane-about-toml", None),
    ("retentoin = 'P1Y'", "dataplane-about-unknown", "retentoin"),
    ("notice = { iri = 'https://x/y', author = 'me' }", "dataplane-about-unknown", "notice.author"),
    ("description = { fr = 'x' }", "dataplane-about-missing", "description.en"),
    ("description = 'x'", "dataplane-about-type", "description"),
    ("notice = {}", "dataplane-about-missing", "notice.iri"),
    ("notice = { iri = 'x' }", "dataplane-about-value", "notice.iri"),
    ("audience = 'children'", "dataplane-about-value", "audience"),
    ("retention = 'two years'", "dataplane-about-value", "retention"),
    ("retention = 'P'", "dataplane-about-value", "retention"),
    ("until = 2027-01-01T00:00:00", "dataplane-about-type", "until"),
    ("until = 'soon'", "dataplane-about-value", "until"),
    ("until = 5", "dataplane-about-type", "until"),
    ("decisions = ['dpo', 'dpo']", "dataplane-about-value", "decisions"),
    ("decisions = ['king']", "dataplane-about-value", "decisions"),
    ("decisions = 'dpo'", "dataplane-about-type", "decisions"),
    ("personal = 'perhaps'", "dataplane-about-value", "personal"),
    ("columns = ['x']", "dataplane-about-type", "columns[0]"),
    ("columns = [{ name = 'x', type = 'day' }]", "dataplane-about-value", "columns[0].type"),
    ("columns = [{ type = 'string' }]", "dataplane-about-missing", "columns[0].name"),
    ("time = 7", "dataplane-about-type", "time"),
    ("roster = ['the rectorate']", "dataplane-about-value", "roster"),
    ("roster = ['group:a', 'group:a']", "dataplane-about-value", "roster"),
    ("ai = { reference = 'r' }", "dataplane-about-missing", "ai.use"),
    ("ai = { use = 'perhaps' }", "dataplane-about-value", "ai.use"),
    ("exclusive = 'perhaps'", "dataplane-about-value", "exclusive"),
    ("dialect = { encoding = 'utf-16' }", "dataplane-about-value", "dialect.encoding"),
    ("dialect = { delimiter = ';;' }", "dataplane-about-value", "dialect.delimiter"),
    ("dialect = { delimiter = 'a' }", "dataplane-about-value", "dialect.delimiter"),
    ("dialect = { delimiter = '' }", "dataplane-about-value", "dialect.delimiter"),
    ("dialect = { delimiter = ';', quote = ';' }", "dataplane-about-value", "dialect.quote"),
    (
        "special = [{ column = 'x', condition = '9(2)(z)', reference = 'r' }]",
        "dataplane-about-value",
        "special[0].condition",
    ),
    (
        "special = [{ column = 'x', condition = '9(2)(j)' }]",
        "dataplane-about-missing",
        "special[0].reference",
    ),
    (
        "special = [{ column = 'x', reference = 'r' }]",
        "dataplane-about-missing",
        "special[0].condition",
    ),
    ("publisher = 7", "dataplane-about-type", "publisher"),
    ("group = '../x'", "dataplane-about-value", "group"),
]


@pytest.mark.parametrize(("text", "code", "where"), WRONG)
def test_what_is_wrong_is_located(text: str, code: str, where: str | None):
    with pytest.raises(Problem) as caught:
        parse(LEAST + text + "\n")
    assert caught.value.code == code
    if where is not None:
        assert caught.value.params["where"] == where
        assert where in caught.value.text("fr")
        assert where in caught.value.text("en")


@pytest.mark.parametrize("name", ["id", "kind", "title"])
def test_what_must_stand_there(name: str):
    lines = [line for line in LEAST.splitlines() if not line.startswith(name)]
    with pytest.raises(Problem) as caught:
        parse("\n".join(lines))
    assert (caught.value.code, caught.value.params["where"]) == ("dataplane-about-missing", name)


def test_an_id_is_no_path():
    for bad in ("../x", "a/b", "", "é"):
        with pytest.raises(Problem):
            parse(LEAST.replace("traces-2026", bad))


def test_other_encodings_are_refused():
    with pytest.raises(Problem, match="dataplane-about-toml"):
        parse(LEAST.replace("Traces", "Tracés").encode("latin-1"))


def test_a_table_says_how_it_is_written():
    text = (
        LEAST
        + """
time = "day"
special = [{ column = "x" }]
[dialect]
encoding = "windows-1252"
delimiter = "\\t"
quote = "'"
"""
    )
    about = parse(text)
    assert about.dialect == Dialect("windows-1252", "\t", "'")
    assert (about.time, about.special[0].condition) == ("day", "")
