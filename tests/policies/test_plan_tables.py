"""Plans for tables: columns, special categories, social security numbers, rows without a date."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from policies import odrl, plan
from policies.evaluate import Fact, Request, decide
from policies.model import Policy, iri
from policies.plan import DatasetFacts, Field, Plan
from policies.problem import LANGUAGES, Problem
from policies.vocabulary import ODRL, PREAU

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LAB = "did:web:lab.example"
TABLE = DatasetFacts(
    id="urn:d",
    codebook=(
        Field("pupil", None, "agent", "direct", "pupil"),
        Field("day", None, "date", "indirect", "day"),
        Field("score", None, "number", "no", "score"),
        Field("disability", None, "string", "special", "disability"),
        Field("number", None, "nir", "direct", "number"),
    ),
    personal=True,
    basis="public-task",
    category="results",
    dated=False,
)
PERIOD = {
    "leftOperand": "preau:recordTime",
    "operator": "gteq",
    "rightOperand": {"@value": "2026-01-01T00:00:00Z", "@type": "xsd:dateTime"},
}


def compiled(dataset: DatasetFacts, *constraints: object) -> Plan:
    purpose = {
        "leftOperand": "odrl:purpose",
        "operator": "eq",
        "rightOperand": {"@id": PREAU + "EducationResearch"},
    }
    rule = {"action": "use", "constraint": [purpose, *constraints]}
    offer = odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule]})
    agreed: Policy = replace(offer, kind="Agreement", target=dataset.id)
    claims = {ODRL + "purpose": Fact((iri(PREAU + "EducationResearch"),), "test", "declared")}
    request = Request(ODRL + "use", dataset.id, LAB, claims)
    decided = decide(agreed, request, {}, NOW, "negotiation")
    return plan.compile(agreed, None, dataset, "urn:uuid:a", LAB, decided)


def fields(*names: str) -> dict[str, object]:
    return {"leftOperand": "preau:fields", "operator": "isPartOf", "rightOperand": list(names)}


def test_columns_and_their_treatments():
    found = compiled(TABLE)
    assert [(f.name, f.column, f.treatment) for f in found.fields] == [
        ("day", "day", None),
        ("pupil", "pupil", "pseudonym"),
        ("score", "score", None),
    ]
    assert {(gone.name, gone.reason) for gone in found.removed} == {
        ("disability", "special-category"),
        ("number", "direct-identifier"),
    }
    assert Plan.read(found.document()) == found


def test_a_condition_lets_a_special_column_leave():
    found = compiled(replace(TABLE, special=frozenset({"disability"})))
    assert "disability" in [field.name for field in found.fields]


def test_a_plan_that_names_a_social_security_number_is_refused():
    with pytest.raises(Problem, match="policy-plan-nir"):
        compiled(TABLE, fields("score", "number"))
    lying = replace(
        TABLE, codebook=tuple(replace(field, personal="no") for field in TABLE.codebook)
    )
    assert "number" not in [field.name for field in compiled(lying).fields]


def test_without_times_no_day_leaves():
    none = {
        "leftOperand": "preau:timePrecision",
        "operator": "isA",
        "rightOperand": {"@id": "preau:NoTime"},
    }
    found = compiled(TABLE, none)
    assert "day" not in [field.name for field in found.fields]


def test_rows_without_a_date_know_no_period():
    found = compiled(TABLE, PERIOD)
    assert found.rows.document().keys() == {"consent", "undated"}
    assert Plan.read(found.document()) == found
    said = [found.explain(lang) for lang in LANGUAGES]
    assert any("non datées" in line for lines in said for line in lines)
    assert any("without a date" in line for lines in said for line in lines)
    dated = compiled(replace(TABLE, dated=True), PERIOD)
    assert dated.rows.document().keys() == {"consent", "from"}


@pytest.mark.parametrize("undated", [False, "true", 1])
def test_undated_is_true_or_absent(undated: object):
    document = compiled(TABLE).document()
    rows = document["rows"]
    assert isinstance(rows, dict)
    with pytest.raises(Problem, match="policy-plan-document"):
        Plan.read({**document, "rows": {**rows, "undated": undated}})
    with pytest.raises(Problem, match="policy-plan-document"):
        Plan.read({**document, "rows": {**rows, "from": "2026-01-01T00:00:00Z"}})
