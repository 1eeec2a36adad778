"""Tables between two nodes: published, asked for, agreed, released in both forms, objected to."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog import documents
from connector.evidence.verify import verify
from connector.protocol.messages import TransferRequest
from connector.services.consent import consents
from connector.services.fetch import fetching
from connector.services.fetch.received import folder_of
from connector.services.publish import catalogs, publishing, risk
from connector.services.publish.publishing import Upload
from connector.services.release import transferring, transfers
from connector.services.show import auditing, views
from connector.store import agreements as agreement_rows
from connector.store import leaves
from policies.problem import Problem
from tests.support.pair import (
    AUDITOR,
    CATEGORY,
    DPO,
    OPERATOR,
    PURPOSE,
    RESEARCHER,
    Pair,
    statements,
)

SPACE = "https://lycee.example/eleves"
NIR = "255081416802538"
ABOUT = """
id = "results"
kind = "csv"
category = "{category}"
audience = "{audience}"
until = 2027-12-31T00:00:00Z
retention = "P1Y"
personal = "{personal}"
dpia = "DPIA 3, 1 March 2026"
{top}
[title]
fr = "Résultats"
en = "Results"
[notice]
iri = "https://example.org/notice"
[basis]
type = "{basis}"
reference = "register 1"
[policy]
template = "{template}"
[policy.params]
purposes = ["{purpose}"]
until = "2027-12-31T00:00:00Z"
retention = "P1Y"
{more}
"""
CATEGORY_OF_NOBODY = {"category": "https://w3id.org/preau/ns#LearningResult"}
SUBJECTS = f'[[subjects]]\ncolumn = "eleve"\nnamespace = "{SPACE}"\n'
HEADER = "eleve,etablissement,note,remarque,handicap\n"
CONTENT = HEADER + "".join(
    f"eleve-{n:03d},0750655E,{n % 20},=HYPERLINK(A{n}),{'oui' if n % 7 == 0 else 'non'}\n"
    for n in range(40)
)
FIELDS = ["eleve", "etablissement", "note", "remarque", "handicap"]


async def publish(nodes: Pair, content: str | bytes = CONTENT, **about: str) -> dict[str, Any]:
    """Publish a table at the provider."""
    chosen = {
        "category": CATEGORY,
        "audience": "minors",
        "personal": "yes",
        "basis": "public-task",
        "template": "public-task-research",
        "purpose": PURPOSE,
        "more": SUBJECTS,
        "top": "",
    } | about
    chunks = [content.encode() if isinstance(content, str) else content, b""]

    async def read(_: int) -> bytes:
        return chunks.pop(0)

    upload = Upload(ABOUT.format(**chosen).encode(), "t.csv", read, 0.001)
    return await publishing.add(nodes.provider, OPERATOR, upload)


async def agreed(nodes: Pair, fields: list[str] | None = None, **published: str) -> str:
    """An agreement on a published table; its id."""
    made = await publish(nodes, **published)
    await nodes.request(made["dataset"], fields=fields or FIELDS)
    return str((await views.agreements(nodes.consumer))[0]["id"])


async def fetch(nodes: Pair, agreement: str, form: str = "csv") -> dict[str, Any]:
    """Let the consumer fetch; the transfer as it is then."""
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, form)
    await nodes.settle()
    await fetching.start(nodes.consumer, RESEARCHER, pid, None)
    await nodes.consumer.background.idle()
    await nodes.settle()
    return await views.transfer(nodes.consumer, pid)


def folder(nodes: Pair, found: dict[str, Any]) -> Path:
    return folder_of(nodes.consumer, found["pid"])


def received(nodes: Pair, found: dict[str, Any]) -> list[dict[str, str]]:
    """The rows of the received CSV."""
    with (folder(nodes, found) / "data.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def say(nodes: Pair, status: str, *pupils: str, namespace: str = SPACE) -> None:
    """Record what pupils said about the consumer's use."""
    scope = {"recipient": nodes.consumer.did, "purpose": PURPOSE, "category": CATEGORY}
    for pupil in pupils:
        subject = {"type": "column", "value": pupil, "home": namespace}
        await consents.record(nodes.provider, DPO, {"status": status, "subject": subject, **scope})


# ------------------------------------------------------------------------------------- forms


async def test_a_table_of_minors_leaves_as_csv_on_a_public_task(nodes: Pair):
    found = await fetch(nodes, await agreed(nodes))
    rows = received(nodes, found)
    assert (found["state"], found["distribution"], len(rows)) == ("COMPLETED", "csv", 40)
    assert list(rows[0]) == ["eleve", "etablissement", "note", "remarque"]
    assert len({row["eleve"] for row in rows}) == 40
    assert {row["etablissement"] for row in rows} == {"0750655E"}
    assert all(row["remarque"].startswith("'=HYPERLINK") for row in rows)
    names = sorted(path.name for path in folder(nodes, found).iterdir())
    assert "data.csv" in names
    assert not {"data.ndjson", "data.csv.partial"} & set(names)
    manifest = json.loads((folder(nodes, found) / "manifest.json").read_bytes())
    assert (manifest["format"], manifest["persons"]) == ("csv", "40")
    assert {field["column"] for field in manifest["codebook"]} == set(rows[0])
    assert b"eleve-0" not in b"".join(p.read_bytes() for p in folder(nodes, found).iterdir())


async def test_the_same_rows_as_ndjson(nodes: Pair):
    agreement = await agreed(nodes)
    as_csv = received(nodes, await fetch(nodes, agreement))
    found = await fetch(nodes, agreement, "ndjson")
    lines = (folder(nodes, found) / "data.ndjson").read_bytes().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["note"] for row in rows] == [int(row["note"]) for row in as_csv]
    assert [row["eleve"] for row in rows] == [row["eleve"] for row in as_csv]
    assert rows[0]["remarque"].startswith("=HYPERLINK")


@pytest.mark.parametrize("form", ["csv", "ndjson"])
async def test_both_bundles_verify_with_the_files(nodes: Pair, tmp_path: Path, form: str):
    agreement = await agreed(nodes)
    files = folder(nodes, await fetch(nodes, agreement, form))
    for node in (nodes.provider, nodes.consumer):
        path = tmp_path / f"{node.settings.node.name}.zip"
        path.write_bytes(await auditing.bundle(node, AUDITOR, agreement))
        report = verify(path, files=files)
        assert report.ok, report.failures


async def test_a_bundle_of_a_transfer_that_was_asked_for_and_not_fetched(
    nodes: Pair, tmp_path: Path
):
    agreement = await agreed(nodes)
    await transferring.start(nodes.consumer, RESEARCHER, agreement, "csv")
    await nodes.settle()
    path = tmp_path / "bundle.zip"
    path.write_bytes(await auditing.bundle(nodes.consumer, AUDITOR, agreement))
    assert verify(path).ok


async def test_statements_leave_as_ndjson_only(nodes: Pair):
    dataset = await nodes.publish(statements(12))
    await nodes.consent([f"learner-{n}" for n in range(12)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    with pytest.raises(Problem, match="transfer-format") as caught:
        await transferring.start(nodes.consumer, RESEARCHER, agreement, "csv")
    assert caught.value.params["known"] == "ndjson"


async def test_a_form_that_is_not_offered_is_refused_by_the_provider_too(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    agreement = await agreed(nodes)
    monkeypatch.setattr(
        "connector.services.release.transferring.transfers.forms_of", lambda _: ["parquet"]
    )
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "parquet")
    monkeypatch.undo()
    await nodes.settle()
    assert await views.transfers(nodes.provider) == []
    assert (await views.transfer(nodes.consumer, pid))["state"] in {"TERMINATED", "REQUESTED"}


async def test_a_transfer_keeps_its_form(nodes: Pair):
    agreement = await agreed(nodes)
    await transferring.start(nodes.consumer, RESEARCHER, agreement, "csv")
    with pytest.raises(Problem, match="transfer-format-running"):
        await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")


async def test_a_peer_that_does_not_say_gets_rows_as_ndjson(nodes: Pair):
    agreement = await agreed(nodes)
    row = await nodes.provider.store.read(lambda tx: agreement_rows.get(tx, id=agreement))
    assert row is not None
    silent = TransferRequest(
        consumer_pid="urn:c", agreement=agreement, format="HttpData-PULL", callback="http://x"
    )
    assert transfers._form(row, silent) == "ndjson"


# ------------------------------------------------------------------------------------ persons


async def test_who_objects_is_absent_and_nobody_else(nodes: Pair):
    agreement = await agreed(nodes)
    await say(nodes, "objected", "eleve-003", " eleve-004 ")
    await say(nodes, "objected", "eleve-005", namespace="https://another.example")
    rows = received(nodes, await fetch(nodes, agreement))
    assert sorted(int(row["remarque"][13:-1]) for row in rows) == [
        n for n in range(40) if n not in (3, 4)
    ]


async def test_on_consent_adults_only_and_only_who_consents(nodes: Pair):
    consent: dict[str, Any] = {"basis": "consent", "template": "research-under-consent"}
    with pytest.raises(Problem, match="policy-lint-minors-on-consent"):
        await publish(nodes, **consent)
    with pytest.raises(Problem, match="policy-lint-minors-on-consent"):
        await publish(nodes, **consent, audience="mixed")
    with pytest.raises(Problem, match="policy-lint-minors-on-consent"):
        await publish(nodes, **consent | {"basis": "public-task"})
    agreement = await agreed(nodes, **consent, audience="adults")
    pupils = [f"eleve-{n:03d}" for n in range(12)]
    await say(nodes, "given", *pupils)
    rows = received(nodes, await fetch(nodes, agreement))
    assert sorted(int(row["remarque"][13:-1]) for row in rows) == list(range(12))


async def test_what_is_asked_for_and_never_leaves_is_said_to_both(nodes: Pair):
    more = SUBJECTS + '[[columns]]\nname = "remarque"\npersonal = "direct"\n'
    more += '[[special]]\ncolumn = "handicap"\n'
    made = await publish(nodes, more=more, top='decisions = ["dpo"]')
    await nodes.request(made["dataset"], fields=FIELDS)
    for node in (nodes.consumer, nodes.provider):
        pid = (await views.negotiations(node))[0]["pid"]
        said = (await views.negotiation(node, pid))["staying"]
        assert [line.rpartition(": ")[2] for line in said["en"]] == ["remarque.", "handicap."]
        assert len(said["fr"]) == 2
    other = {**CATEGORY_OF_NOBODY, "more": more}
    with pytest.raises(Problem, match="publish-category-unknown") as caught:
        await publish(nodes, **other)
    assert "preau:LearningResults" in str(caught.value.params["known"])


async def test_the_measured_linkage_of_a_table_stands_in_both_plans(nodes: Pair):
    content = HEADER + "".join(f"eleve-{n:03d},0750655E,{n % 2},x,non\n" for n in range(80))
    made = await publish(nodes, content=content)
    told = await risk.run(nodes.provider, DPO, "results")
    shares = {(one["time"], one["extensions"]): one["linked"] for one in told["linkage"]}
    assert len(shares) == 8
    assert int(shares["hour", True].rstrip(" %")) in range(2, 8)
    assert told["measurement"]["rows_unique"] == dict.fromkeys(("minute", "hour", "day", "none"), 0)
    assert "every column that can leave" in " ".join(told["words"]["en"])
    await nodes.request(made["dataset"], fields=FIELDS)
    for node in (nodes.provider, nodes.consumer):
        agreement = str((await views.agreements(node))[0]["id"])
        plan = (await views.plan(node, agreement))["plan"]
        assert plan["linkage"] == shares["hour", True]


async def test_personal_rows_say_about_whom(nodes: Pair):
    with pytest.raises(Problem, match="policy-lint-no-subjects"):
        await publish(nodes, more="")


async def test_rows_about_nobody_identify_nobody(nodes: Pair):
    with pytest.raises(Problem, match="policy-lint-not-personal"):
        await publish(nodes, more="", personal="no")


async def test_open_data_about_schools(nodes: Pair):
    made = await publish(
        nodes,
        "uai,places\n0750655E,12\n0750656F,40\n",
        more="",
        personal="no",
        basis="none",
        template="public-task-research",
    )
    shown = await catalogs.show(nodes.provider, "results")
    assert made["counts"]["persons"] == 0
    assert (shown["persons"], shown["document"]["subject"]["personal"]) == (None, False)


async def test_warnings_are_shown_and_logged(nodes: Pair):
    top = 'roster = ["did:web:authority.example"]'
    with pytest.raises(Problem, match="policy-lint-roster"):
        await publish(nodes, top=top)
    evaluating = "https://w3id.org/dpv/sector/education#StudentPerformanceMonitoring"
    made = await publish(nodes, purpose=evaluating)
    said = [(one["code"], one["severity"], one["path"]) for one in made["warnings"]]
    assert said == [("policy-lint-ai-undeclared", "warns", "permission[0]")]
    assert made["warnings"][0]["do"]["fr"]

    def unit(tx: Any) -> list[Any]:
        return [row for row in leaves.between(tx, start=0, stop=1000) if row.type == "catalog"]

    leaf = (await nodes.provider.store.read(unit))[-1]
    assert leaf.private_body["body"]["warnings"] == [
        {"code": "policy-lint-ai-undeclared", "path": "permission[0]"}
    ]
    declared = await publish(nodes, purpose=evaluating, more=SUBJECTS + '[ai]\nuse = "no"\n')
    assert declared["warnings"] == []


# ---------------------------------------------------------------------------- special and NIR

CONDITION = """
[[special]]
column = "handicap"
condition = "9(2)(j)"
reference = "register 7"
"""


async def test_special_columns_stay_without_a_condition(nodes: Pair):
    agreement = await agreed(nodes)
    found = await views.agreement(nodes.consumer, agreement)
    assert "handicap" not in [field["name"] for field in (await _plan(nodes, agreement))["fields"]]
    assert found["plan_digest"] == (await views.agreement(nodes.provider, agreement))["plan_digest"]


async def test_with_a_declared_condition_they_may_leave(nodes: Pair):
    agreement = await agreed(nodes, more=SUBJECTS + CONDITION)
    rows = received(nodes, await fetch(nodes, agreement))
    assert sum(row["handicap"] == "oui" for row in rows) == 6
    shown = await catalogs.show(nodes.provider, "results")
    field = next(
        field for field in documents.read(shown["document"]).fields if field.name == "handicap"
    )
    assert (field.condition, field.reference) == ("9(2)(j)", "register 7")
    theirs = await views.agreement(nodes.consumer, agreement)
    assert (
        theirs["plan_digest"] == (await views.agreement(nodes.provider, agreement))["plan_digest"]
    )


async def test_a_nir_is_not_published(nodes: Pair):
    with pytest.raises(Problem, match="dataplane-nir"):
        await publish(nodes, f"eleve,x\na,1\nb,{NIR}\n")
    assert await catalogs.listing(nodes.provider) == []
    data = nodes.provider.folder / "data"
    assert not list(data.rglob("*.bin"))
    assert not list((nodes.provider.folder / "uploads").iterdir())


async def test_a_request_that_names_a_nir_makes_no_agreement(nodes: Pair):
    content = "eleve,secu,note\n" + "".join(f"e{n},{NIR},{n}\n" for n in range(20))
    more = SUBJECTS + '[[columns]]\nname = "secu"\npersonal = "direct"\n'
    made = await publish(nodes, content, more=more)
    pid = await nodes.request(made["dataset"], fields=["eleve", "secu"])
    assert (await views.negotiation(nodes.consumer, pid))["state"] == "TERMINATED"
    assert await views.agreements(nodes.consumer) == []
    await nodes.request(made["dataset"], fields=["eleve", "note"])
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    found = await fetch(nodes, agreement)
    assert NIR.encode() not in (folder(nodes, found) / "data.csv").read_bytes()


async def test_the_profile_is_shown_and_the_choice_is_logged(nodes: Pair):
    content = "eleve,mail,nom_du_test\n" + "".join(
        f"e{n},e{n}@lycee.example,dictée\n" for n in range(12)
    )
    more = SUBJECTS + '[[columns]]\nname = "nom_du_test"\npersonal = "no"\n'
    await publish(nodes, content, more=more)
    shown = await catalogs.show(nodes.provider, "results")
    profile = {one["name"]: one for one in shown["revision"]["table"]["profile"]}
    assert profile["mail"]["flags"][0]["what"] == "email"
    assert profile["nom_du_test"]["proposed"] == "direct"
    assert "@lycee" not in json.dumps(shown)

    def unit(tx: Any) -> list[Any]:
        return [row for row in leaves.between(tx, start=0, stop=1000) if row.type == "catalog"]

    (leaf,) = await nodes.provider.store.read(unit)
    columns = {one["column"]: one for one in leaf.private_body["body"]["columns"]}
    assert (columns["nom_du_test"]["proposed"], columns["nom_du_test"]["chosen"]) == (
        "direct",
        "no",
    )


# --------------------------------------------------------------------------------------- dates


async def test_undated_rows_know_no_period_and_the_plan_says_so(nodes: Pair):
    agreement = await agreed(nodes)
    plan = await _plan(nodes, agreement)
    assert plan["rows"]["undated"] is True
    assert not {"from", "to"} & plan["rows"].keys()
    said = (await views.agreement(nodes.consumer, agreement))["plan"]["fr"]
    assert any("non datées" in line for line in said)


async def test_a_declared_time_selects_by_the_period(nodes: Pair):
    content = "eleve,le\n" + "".join(f"e{n},{2019 + n % 2}-05-06\n" for n in range(40))
    dated = {"content": content, "top": 'time = "le"'}
    agreement = await agreed(nodes, ["eleve", "le"], **dated)
    assert "undated" not in (await _plan(nodes, agreement))["rows"]
    rows = received(nodes, await fetch(nodes, agreement))
    assert {row["le"] for row in rows} == {"2020-05-06"}
    assert len(rows) == 20


async def _plan(nodes: Pair, agreement: str) -> dict[str, Any]:
    found: dict[str, Any] = (await views.plan(nodes.consumer, agreement))["plan"]
    return found


# --------------------------------------------------------------------------------- real table

OULAD = "oulad/studentInfo.csv"
STUDENTS = "https://analyse.kmi.open.ac.uk/students"
OULAD_ABOUT = f"""
[[subjects]]
column = "id_student"
namespace = "{STUDENTS}"
[[special]]
column = "disability"
[[special]]
column = "imd_band"
"""
OULAD_FIELDS = ["id_student", "code_module", "gender", "age_band", "studied_credits",
                "final_result", "disability", "imd_band"]  # fmt: skip
OULAD_LEFT = ["code_module", "id_student", "gender", "age_band", "studied_credits", "final_result"]


def said(student: str) -> bool:
    return int(hashlib.sha256(f"preau:{student}".encode()).hexdigest()[:8], 16) % 100 < 70


def imported(nodes: Pair, students: list[str], status: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(
        ["event_id", "id_type", "id_value", "id_home", "recipient", "purpose", "category",
         "status", "at"]
    )  # fmt: skip
    for student in students:
        writer.writerow([f"{status}-{student}", "column", student, STUDENTS, nodes.consumer.did,
                         PURPOSE, CATEGORY, status, "2026-01-01T00:00:00Z"])  # fmt: skip
    return out.getvalue().encode()


@pytest.mark.parametrize("many", [3_000, pytest.param(32_593, marks=pytest.mark.slow)])
@pytest.mark.parametrize("basis", ["consent", "public-task"])
async def test_real_students(nodes: Pair, official: Callable[[str], Path], basis: str, many: int):
    """Every row of the right students, no other, as a multiset of rows per student."""
    lines = official(OULAD).read_text(encoding="utf-8").splitlines(keepends=True)[: many + 1]
    rows = list(csv.DictReader(lines))
    assert len(rows) == many
    students = sorted({row["id_student"] for row in rows})
    template = "research-under-consent" if basis == "consent" else "public-task-research"
    agreement = await agreed(
        nodes,
        OULAD_FIELDS,
        content="".join(lines).encode(),  # type: ignore[arg-type]
        audience="adults",
        basis=basis,
        template=template,
        more=OULAD_ABOUT,
    )
    chosen = [student for student in students if said(student)]
    status = "given" if basis == "consent" else "objected"
    await consents.load(nodes.provider, DPO, imported(nodes, chosen, status))
    leaving = set(chosen) if basis == "consent" else set(students) - set(chosen)
    found = await fetch(nodes, agreement)
    got = received(nodes, found)
    assert list(got[0]) == OULAD_LEFT
    assert len(got) == sum(row["id_student"] in leaving for row in rows)
    assert _grouped(got) == _grouped([row for row in rows if row["id_student"] in leaving])
    assert not {row["id_student"] for row in got} & set(students)
    manifest = json.loads((folder(nodes, found) / "manifest.json").read_bytes())
    assert manifest["persons"] == str(len(leaving) // 10 * 10)


def _grouped(rows: list[dict[str, str]]) -> list[Any]:
    """The rows of each person, under no name: equal before and after pseudonyms."""
    persons: dict[str, list[tuple[str, ...]]] = {}
    for row in rows:
        rest = tuple(row[name] for name in OULAD_LEFT if name != "id_student")
        persons.setdefault(row["id_student"], []).append(rest)
    return sorted(sorted(each) for each in persons.values())
