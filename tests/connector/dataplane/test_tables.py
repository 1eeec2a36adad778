"""Tables: from CSV to a revision, and out again as NDJSON or CSV with agreed columns only."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.dataplane.about import parse
from connector.dataplane.building import build
from connector.dataplane.release import (
    Encoded,
    Limits,
    count_persons,
    encode_part,
    projection_of,
    release_keys,
)
from connector.dataplane.revision import Revision
from connector.dataplane.rows import MANY, NO_TIME
from connector.dataplane.table_release import TableProjection, unescaped
from connector.dataplane.treat import invert, pseudonym
from connector.subjects.keys import Identifier, subject_key
from policies.consent import Scope
from policies.plan import ConsentScope, Plan, PlanField, Precision, Rows, Treatments
from policies.problem import Problem
from policies.values import instant
from tests.support.ids import SeededIds

Make = Callable[..., Revision]

AGREEMENT = "urn:uuid:00000000-0000-8000-8000-00000000000a"
KEYS = release_keys(b"p" * 32, "did:web:lab.example", "http://purpose", AGREEMENT)
SECRET = b"k" * 32
SPACE = "https://lycee.example/eleves"
ALL = Limits(rows=10**9, bytes=10**9)
ABOUT = """
id = "results"
kind = "csv"
title = { fr = "Résultats", en = "Results" }
"""
PUPILS = '[[subjects]]\ncolumn = "eleve"\nnamespace = "https://lycee.example/eleves"\n'
NIR = "255081416802538"


def make(folder: Path, content: str | bytes, about: str = PUPILS, **options: Any) -> Revision:
    source = folder / "source.csv"
    source.write_bytes(content.encode() if isinstance(content, str) else content)
    build(
        source,
        folder=folder / "revision",
        declaration=parse(ABOUT + about),
        subject_secret=SECRET,
        random=SeededIds(1).token,
        **options,
    )
    return Revision.open(folder / "revision")


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Make]:
    """Builds and opens one revision of a table."""
    opened: list[Revision] = []

    def made(content: str | bytes, about: str = PUPILS, **options: Any) -> Revision:
        opened.append(make(tmp_path, content, about, **options))
        return opened[-1]

    yield made
    for revision in opened:
        revision.close()


def refused(folder: Path, content: str | bytes, about: str = PUPILS, **options: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        make(folder, content, about, **options)
    assert not (folder / "revision").exists()
    assert not (folder / "revision.partial").exists()
    assert all(caught.value.text(lang) and caught.value.remedy(lang) for lang in ("fr", "en"))
    return caught.value


def plan(
    revision: Revision,
    names: Iterable[str] | None = None,
    time: Precision = "hour",
    rows: Rows | None = None,
    **changes: Any,
) -> Plan:
    wanted = None if names is None else set(names)
    scope = ConsentScope(Scope("did:web:lab.example", "http://purpose", "http://c"), "objection")
    given_plan: dict[str, Any] = {
        "agreement": AGREEMENT,
        "policy": "ni:///sha-256;x",
        "dataset": "https://lycee.example/datasets/results",
        "rows": rows or Rows(consent=scope, undated=True),
        "fields": tuple(
            PlanField(field.name, field.type, None, field.column)
            for field in revision.meta.codebook
            if wanted is None or field.name in wanted
        ),
        "treatments": Treatments(time=time),
    } | changes
    return Plan(**given_plan)


def release(
    revision: Revision,
    agreed: Plan | None = None,
    form: str = "ndjson",
    bits: bytearray | None = None,
    **more: Any,
) -> Encoded:
    everybody = bytearray(b"\1" * revision.meta.persons)
    projection = projection_of(agreed or plan(revision), revision.meta, form)
    settings = {"start": 0, "stop": None, "limits": ALL} | more
    return encode_part(revision, projection, KEYS, bits or everybody, **settings)


def objects(encoded: Encoded) -> list[dict[str, Any]]:
    return [json.loads(line) for line in encoded.body.splitlines()]


def name_of(value: str, namespace: str = SPACE) -> str:
    key = subject_key(SECRET, Identifier("column", value, namespace))
    return pseudonym(KEYS.pseudonym, key)


# ------------------------------------------------------------------------------- into a revision


class TestBuilding:
    def test_the_codebook_has_the_columns_in_their_order(self, table: Make):
        revision = table(
            "eleve,note,reussi,le,vu,session,mention,vide\n"
            "a,12.5,true,2024-01-02,2024-01-02 10:20:30,"
            "00000000-0000-4000-8000-000000000001,bien,\n"
        )
        found = [(f.name, f.column, f.pointer, f.type, f.personal) for f in revision.meta.codebook]
        assert found == [
            ("eleve", "eleve", None, "agent", "direct"),
            ("note", "note", None, "number", "no"),
            ("reussi", "reussi", None, "boolean", "no"),
            ("le", "le", None, "date", "indirect"),
            ("vu", "vu", None, "dateTime", "indirect"),
            ("session", "session", None, "uuid", "indirect"),
            ("mention", "mention", None, "string", "indirect"),
            ("vide", "vide", None, "null", "no"),
        ]

    def test_the_steward_has_the_last_word(self, table: Make):
        revision = table(
            "eleve,code,nom_classe,sante\na,12,x,y\n",
            PUPILS
            + """
[[columns]]
name = "code"
type = "string"
personal = "indirect"
[[columns]]
name = "nom_classe"
personal = "no"
[[special]]
column = "sante"
condition = "9(2)(j)"
reference = "register 7"
""",
        )
        found = {field.name: (field.type, field.personal) for field in revision.meta.codebook}
        assert found["code"] == ("string", "indirect")
        assert found["nom_classe"] == ("string", "no")
        assert found["sante"] == ("string", "special")
        note = revision.meta.table
        assert note is not None
        assert {one.name: one.proposed for one in note.profile}["nom_classe"] == "direct"

    def test_rows_persons_and_times(self, table: Make):
        about = PUPILS + '[[subjects]]\ncolumn = "tuteur"\nnamespace = "https://x.example/t"\n'
        revision = table(
            "eleve,tuteur,le\na,,2024-01-02\nb,t,\na,a,2024-01-03\n", 'time = "le"\n' + about
        )
        assert (revision.meta.rows, revision.meta.persons) == (3, 4)
        found = {
            tuple(json.loads(revision.line(row))): (
                len(revision.persons(row)),
                revision.flags[row],
                revision.times[row],
            )
            for row in range(3)
        }
        day = 86_400_000_000
        assert found["a", "", "2024-01-02"] == (1, 0, 19724 * day)
        assert found["b", "t", ""] == (2, MANY | NO_TIME, 0)
        assert found["a", "a", "2024-01-03"] == (2, MANY, 19725 * day)

    def test_equal_rows_are_two(self, table: Make):
        assert table("eleve,x\na,1\na,1\n").meta.rows == 2

    def test_rows_that_cannot_be_used_are_quarantined(self, table: Make):
        revision = table(
            "eleve,le,n\n"
            "a,2024-01-02,1\n"
            ",2024-01-02,1\n"
            "b,hier,1\n"
            "c,2024-01-02,one\n"
            "d,2024-01-02\n"
            f"{'e' * 3000},2024-01-02,1\n"
            '"x",2024-01-02,"1"2\n'
            "f,,1\n",
            'time = "le"\n' + PUPILS + '[[columns]]\nname = "n"\ntype = "number"\n',
        )
        assert revision.meta.rows == 2
        assert revision.meta.persons == 2
        assert revision.meta.quarantined == {
            "no-subject": 1,
            "time-invalid": 1,
            "type-invalid": 1,
            "ragged": 1,
            "subject-invalid": 1,
            "not-csv": 1,
        }
        quarantine = (revision.folder / "quarantine.csv").read_text()
        assert quarantine.splitlines()[:3] == ["row,reason", "3,no-subject", "4,time-invalid"]

    def test_a_table_about_nobody(self, table: Make):
        revision = table("uai,places\n0750655E,12\n0750655E,13\n", 'personal = "no"\n')
        assert (revision.meta.rows, revision.meta.persons) == (2, 0)
        assert [revision.persons(row) for row in range(2)] == [(), ()]
        agreed = plan(revision, treatments=None, rows=Rows(undated=True))
        assert sorted(row["places"] for row in objects(release(revision, agreed))) == [12, 13]

    @pytest.mark.parametrize(
        ("content", "about", "code"),
        [
            ("a;b\n1;2\n", "", "dataplane-csv-dialect"),
            ("eleve,x\n\xff\n".encode("latin-1"), PUPILS, "dataplane-csv-encoding"),
            ("eleve,x\na,\0\n", PUPILS, "dataplane-file-binary"),
            ("eleve,x,x\na,1,2\n", PUPILS, "dataplane-csv-header"),
            ("eleve,zoe@lycee.example\na,1\n", PUPILS, "dataplane-csv-header"),
            ("eleve,0123456789A\na,1\n", PUPILS, "dataplane-csv-header"),
            ("id,x\na,1\n", PUPILS, "dataplane-column-unknown"),
            ("eleve,x\na,1\n", PUPILS + '[[columns]]\nname="y"\n', "dataplane-column-unknown"),
            ("eleve,x\na,1\n", 'time="le"\n' + PUPILS, "dataplane-column-unknown"),
            ("eleve,x\na,1\n", PUPILS + '[[special]]\ncolumn="y"\n', "dataplane-column-unknown"),
            (
                "eleve,x\na,1\n",
                PUPILS + '[[columns]]\nname="eleve"\ntype="string"\npersonal="no"\n',
                "dataplane-column-subject",
            ),
            (
                "eleve,x\na,1\n",
                PUPILS + '[[columns]]\nname="eleve"\npersonal="no"\n',
                "dataplane-column-subject",
            ),
            (
                "eleve,x\na,1\n",
                PUPILS + '[[columns]]\nname="x"\ntype="agent"\n',
                "dataplane-column-subject",
            ),
            ("eleve,x\n", PUPILS, "dataplane-no-rows"),
            ("eleve,x\n" + "a\n" * 11 + "b,1\n", PUPILS, "dataplane-bad-rows"),
            (f"eleve,x\na,{NIR}\n", PUPILS, "dataplane-nir"),
            (f"eleve,x\na,voir {NIR}\n", PUPILS, "dataplane-nir"),
            (f"eleve,x\n{NIR},1\n", PUPILS, "dataplane-nir"),
            (f"eleve,x\na,{NIR}\n", PUPILS + '[[columns]]\nname="x"\npersonal="no"\n',
             "dataplane-nir"),
        ],
    )  # fmt: skip
    def test_refusals(self, tmp_path: Path, content: str | bytes, about: str, code: str):
        assert refused(tmp_path, content, about).code == code

    def test_a_refusal_repeats_no_cell(self, tmp_path: Path):
        problem = refused(tmp_path, "eleve,zoe@lycee.example\na,1\n")
        assert "zoe" not in json.dumps(problem.document())

    def test_many_faults_when_the_delimiter_is_wrong_further_down(self, tmp_path: Path):
        problem = refused(tmp_path, "eleve,x\na,1\n" + "b;2\n" * 30)
        assert problem.params["reasons"] == "ragged: 30"

    def test_a_disk_that_is_full(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("connector.dataplane.building.os.write", full)
        assert refused(tmp_path, "eleve,x\na,1\n").code == "dataplane-disk"

    def test_meta_is_read_back_and_holds_no_cell(self, table: Make):
        revision = table("eleve,mail\nzoe,zoe@lycee.example\n")
        text = (revision.folder / "meta.json").read_text()
        assert "zoe" not in text
        again = Revision.open(revision.folder)
        assert again.meta == revision.meta
        again.close()


class TestNir:
    ABOUT = PUPILS + '[[columns]]\nname = "secu"\npersonal = "direct"\n'
    CONTENT = f"eleve,secu,x\na,{NIR},1\n"

    def test_a_declared_column_is_kept_and_never_released(self, table: Make):
        revision = table(self.CONTENT, self.ABOUT)
        field = next(f for f in revision.meta.codebook if f.name == "secu")
        assert (field.type, field.personal) == ("nir", "direct")
        with pytest.raises(Problem, match="dataplane-plan-unsupported"):
            release(revision)
        assert objects(release(revision, plan(revision, ["x"]))) == [{"x": 1}]

    def test_a_plan_that_calls_it_a_text_is_refused_too(self, table: Make):
        revision = table(self.CONTENT, self.ABOUT)
        lying = plan(revision, fields=(PlanField("secu", "string", None, "secu"),))
        with pytest.raises(Problem, match="dataplane-plan-unsupported"):
            release(revision, lying)

    def test_as_the_subject_it_tells_persons_apart_and_does_not_leave(self, table: Make):
        about = '[[subjects]]\ncolumn = "secu"\nnamespace = "https://x.example/nir"\n'
        about += '[[columns]]\nname = "secu"\npersonal = "direct"\n'
        revision = table(f"secu,x\n{NIR},1\n{NIR},2\n", about)
        assert revision.meta.persons == 1
        agreed = plan(revision, ["x"])
        assert len(objects(release(revision, agreed))) == 2
        assert not objects(release(revision, agreed, bits=bytearray(1)))
        with pytest.raises(Problem, match="dataplane-plan-unsupported"):
            release(revision)


# ---------------------------------------------------------------------------------- out of it

GOLDEN = (
    "eleve,note,texte,vu,session,ok\r\n"
    'a,12.50,"=1+1",2024-03-01T10:20:30+01:00,00000000-0000-4000-8000-000000000001,TRUE\r\n'
    'b,-3,"dit ""non"", é",01/03/2024 10:20,,\r\n'
    "c,,'-,2024-03-01,x,false\r\n"
)


class TestRelease:
    def test_golden_bytes(self, table: Make):
        """The bytes themselves: whoever changes them gives the encoder another name (X3)."""
        revision = table(GOLDEN)
        assert release(revision).body.decode() == (
            '{"eleve":"VO2ZA2V5IQQW62H27E3DMI2WNU","note":12.50,"texte":"=1+1",'
            '"vu":"2024-03-01T09:00:00Z","session":"0b2f24c5-d4a8-3914-aa3c-a28d952367db",'
            '"ok":true}\n'
            '{"eleve":"DQXXIET7MYARN4J3UYOVDX46HL","note":null,"texte":"\'-",'
            '"vu":"2024-03-01","session":"x","ok":false}\n'
            '{"eleve":"UI2YU4NLX5E7KC6PF7FH327RLR","note":-3,"texte":"dit \\"non\\", é",'
            '"vu":"01/03/2024 10:00","session":null,"ok":null}\n'
        )
        assert release(revision, form="csv").body.decode() == (
            "eleve,note,texte,vu,session,ok\r\n"
            "VO2ZA2V5IQQW62H27E3DMI2WNU,12.50,'=1+1,2024-03-01T09:00:00Z,"
            "0b2f24c5-d4a8-3914-aa3c-a28d952367db,true\r\n"
            "DQXXIET7MYARN4J3UYOVDX46HL,,''-,2024-03-01,x,false\r\n"
            'UI2YU4NLX5E7KC6PF7FH327RLR,-3,"dit ""non"", é",01/03/2024 10:00,,\r\n'
        )
        assert name_of("a") == "VO2ZA2V5IQQW62H27E3DMI2WNU"
        one = "0b2f24c5-d4a8-3914-aa3c-a28d952367db"
        assert invert(KEYS.ids, one) == "00000000-0000-4000-8000-000000000001"

    def test_both_forms_hold_the_same_rows_in_the_same_order(self, table: Make):
        revision = table(GOLDEN)
        rows = objects(release(revision))
        read = csv.DictReader(io.StringIO(release(revision, form="csv").body.decode(), newline=""))
        for row, found in zip(rows, read, strict=True):
            texts = {
                key: ""
                if value is None
                else str(value).lower()
                if value in (True, False)
                else value
                for key, value in row.items()
                if key != "note"
            }
            assert {key: unescaped(value) for key, value in found.items() if key != "note"} == texts

    def test_the_header_stands_in_the_first_part_only(self, table: Make):
        revision = table("eleve,x\n" + "".join(f"e{n},{n}\n" for n in range(10)))
        first = release(revision, form="csv", limits=Limits(4, 10**6))
        second = release(revision, form="csv", start=first.stop)
        assert first.body.startswith(b"eleve,x\r\n")
        assert (first.rows, second.rows) == (4, 6)
        assert second.body.count(b"\r\n") == 6
        assert first == release(revision, form="csv", limits=ALL, stop=first.stop)

    def test_bytes_are_limited_header_included(self, table: Make):
        revision = table("eleve,x\n" + "".join(f"e{n},{n}\n" for n in range(10)))
        part = release(revision, form="csv", limits=Limits(100, 9 + 2 * 30))
        assert len(part.body) <= 9 + 2 * 30
        assert part.rows == 2

    def test_who_may_not_leave_does_not(self, table: Make):
        about = PUPILS + '[[subjects]]\ncolumn = "tuteur"\nnamespace = "https://x.example/t"\n'
        revision = table("eleve,tuteur,n\na,,1\nb,t,2\nc,t,3\n", about)
        subjects = revision.subjects()
        refusing = subject_key(SECRET, Identifier("column", "t", "https://x.example/t"))
        bits = bytearray(b"\1" * revision.meta.persons)
        bits[subjects.index(refusing)] = 0
        found = release(revision, bits=bits)
        assert objects(found) == [{"eleve": name_of("a"), "tuteur": None, "n": 1}]
        assert found.withheld == {"consent": 2}
        assert count_persons(revision, projection_of(plan(revision), revision.meta), bits, 10) == 1

    def test_each_person_of_a_row_has_their_own_name(self, table: Make):
        about = (
            PUPILS + '[[subjects]]\ncolumn = "ami"\nnamespace = "https://lycee.example/eleves"\n'
        )
        revision = table("eleve,ami,n\na,b,1\nb,b,2\nc,,3\n", about)
        rows = {row["n"]: (row["eleve"], row["ami"]) for row in objects(release(revision))}
        a, b, c = (name_of(letter) for letter in "abc")
        assert rows == {1: (a, b), 2: (b, b), 3: (c, None)}

    def test_a_period_selects_dated_rows(self, table: Make):
        revision = table(
            "eleve,le\na,2024-01-01\nb,2024-01-02\nc,2024-01-03\nd,\n", 'time = "le"\n' + PUPILS
        )
        period = Rows(instant("2024-01-02T00:00:00Z"), instant("2024-01-03T00:00:00Z"))
        found = release(revision, plan(revision, rows=period))
        assert [row["le"] for row in objects(found)] == ["2024-01-02"]
        assert found.withheld == {"period": 2, "no-time": 1}

    def test_without_times_no_day_is_left(self, table: Make):
        revision = table("eleve,le,vu,mixte\na,2024-01-02,2024-01-02 10:00,2024-01-02\nb,,,x\n")
        rows = objects(release(revision, plan(revision, time="none")))
        assert {row["eleve"]: (row["le"], row["vu"], row["mixte"]) for row in rows} == {
            name_of("a"): (None, None, None),
            name_of("b"): (None, None, "x"),
        }

    @pytest.mark.parametrize(
        "changes",
        [
            {"treatments": None},
            {"fields": (PlanField("eleve", "string", None, "eleve"),)},
            {"fields": (PlanField("x", "agent", None, "x"),)},
            {"fields": (PlanField("x", "number", None, "gone"),)},
            {"fields": (PlanField("x", "string", None, "x"),)},
            {"fields": (PlanField("x", "number", "/x"),)},
        ],
    )
    def test_a_plan_that_does_not_fit_releases_nothing(self, table: Make, changes: dict[str, Any]):
        revision = table("eleve,x\na,1\n")
        with pytest.raises(Problem, match=r"dataplane-plan-(unsupported|drift)"):
            release(revision, plan(revision, **changes))

    def test_a_form_nobody_knows(self, table: Make):
        revision = table("eleve,x\na,1\n")
        with pytest.raises(Problem, match="dataplane-plan-unsupported"):
            TableProjection.compile(plan(revision), revision.meta, "parquet")


# ---------------------------------------------------------------------------------- properties

NAMES = ("eleve", "texte", "note", "secret", "vu")
SAFE = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=15
)
HOSTILE = st.sampled_from(
    ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "''=1", "'t", '"', "a,b", "＝1"]
)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 5).map("ID-{:06d}".format),
        SAFE | HOSTILE,
        st.integers(-99, 99).map(str),
        st.integers(0, 999).map("SECRET-{:03d}".format),
        st.sampled_from(["2024-03-01T10:20:30Z", "01/03/2024 10:20", ""]),
    ),
    min_size=1,
    max_size=12,
)


TEXTS = PUPILS + '[[columns]]\nname = "texte"\ntype = "string"\npersonal = "no"\n'


@given(ROWS, st.sets(st.sampled_from(NAMES), min_size=1), st.sampled_from(["ndjson", "csv"]))
def test_no_column_outside_the_agreement_and_no_identifier(
    rows: list[tuple[str, ...]], agreed: set[str], form: str
):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([NAMES, *rows])
    with TemporaryDirectory() as folder:
        revision = make(Path(folder), out.getvalue(), TEXTS, max_bad=1.0)
        body = release(revision, plan(revision, agreed), form).body.decode()
        revision.close()
    assert "ID-" not in body
    assert "20:30" not in body
    assert "10:20" not in body
    assert "secret" in agreed or "SECRET" not in body
    if form == "ndjson":
        found = [json.loads(line) for line in body.splitlines() if line]
    else:
        found = list(csv.DictReader(io.StringIO(body, newline="")))
    wanted = [name for name in NAMES if name in agreed]
    assert all(list(row) == wanted for row in found)
    assert len(found) == len(rows)
    if "texte" in agreed:
        texts = sorted(unescaped(row["texte"] or "") if form == "csv" else row["texte"] or ""
                       for row in found)  # fmt: skip
        assert texts == sorted(text for _, text, *_ in rows)


@given(ROWS)
def test_no_released_text_starts_a_formula(rows: list[tuple[str, ...]]):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([NAMES, *rows])
    with TemporaryDirectory() as folder:
        revision = make(Path(folder), out.getvalue(), TEXTS, max_bad=1.0)
        body = release(revision, form="csv").body.decode()
        revision.close()
    for row in csv.reader(io.StringIO(body, newline="")):
        for cell in row:
            if cell[:1] in set("=+-@\t\r\n＝＋－＠"):
                assert float(cell) is not None
