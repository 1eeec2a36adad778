"""Each finding of the linter, with offers that have it and offers that have not.

One file a finding in `lint_cases`. A case changes a clean offer: `constraint` and `duty` are added
to its permission, `permission`, `prohibition` and `obligation` stand as given, `declaration`
replaces members of a clean one. `found` is the path of the finding, or null.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policies import odrl
from policies.lint import Column, Declaration, lint, refusing, warning
from policies.lint.documentation import page
from policies.lint.texts import TEXTS
from policies.model import Policy
from policies.problem import LANGUAGES
from tests.support.source import ROOT

FILES = sorted((Path(__file__).parent / "lint_cases").glob("*.json"))
LOADED = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
CASES = [
    pytest.param(loaded["code"], case, id=f"{stem}: {case['name']}")
    for stem, loaded in LOADED.items()
    for case in loaded["cases"]
]
PERMISSION: dict[str, Any] = {
    "action": "use",
    "constraint": [
        {
            "leftOperand": "odrl:purpose",
            "operator": "isA",
            "rightOperand": {"@id": "preau:EducationResearch"},
        },
        {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": "2027-08-31T00:00:00Z"},
    ],
    "duty": [
        {
            "action": "odrl:delete",
            "constraint": [
                {"leftOperand": "odrl:elapsedTime", "operator": "lteq", "rightOperand": "P180D"}
            ],
        },
        {"action": "preau:attestDeletion"},
    ],
}
CLEAN: dict[str, Any] = {
    "personal": True,
    "audience": "adults",
    "basis": "consent",
    "notice": "https://node.example/notice",
    "retention_default": "P365D",
}


def offer(case: dict[str, Any]) -> Policy:
    """The clean offer, changed as the case says."""
    added = {
        member: [*PERMISSION[member], *case.get(member, [])] for member in ("constraint", "duty")
    }
    rules = {"permission": [PERMISSION | added]}
    rules |= {m: case[m] for m in ("permission", "prohibition", "obligation") if m in case}
    return odrl.read({"@type": "Offer", **rules})


def declaration(case: dict[str, Any]) -> Declaration:
    """The clean declaration, changed as the case says."""
    members = CLEAN | case.get("declaration", {})
    for member in ("fields", "identifying", "roster"):
        if member in members:
            members[member] = frozenset(members[member])
    if "columns" in members:
        members["columns"] = tuple(Column(**column) for column in members["columns"])
    return Declaration(**members, now=datetime(2026, 12, 1, tzinfo=UTC))


def test_the_clean_offer_has_no_finding():
    assert lint(offer({}), declaration({})) == ()


@pytest.mark.parametrize(("code", "case"), CASES)
def test_case(code: str, case: dict[str, Any]):
    findings = lint(offer(case), declaration(case))
    paths = [each.path for each in findings if each.code == code]
    assert paths == ([case["found"]] if case["found"] else [])


def test_every_finding_has_offers_with_and_without_it():
    assert {loaded["code"] for loaded in LOADED.values()} == set(TEXTS)
    for stem, loaded in LOADED.items():
        assert loaded["code"] == f"policy-lint-{stem}"
        assert {case["found"] is None for case in loaded["cases"]} == {True, False}


def test_the_page_is_drawn_from_the_texts():
    assert (ROOT / "docs" / "lint.md").read_text(encoding="utf-8") == page(), (
        "draw docs/lint.md again: see policies/lint/documentation.py"
    )


@pytest.mark.parametrize(("code", "case"), CASES)
def test_a_finding_says_what_to_change_in_both_languages(code: str, case: dict[str, Any]):
    findings = lint(offer(case), declaration(case))
    assert findings == (*refusing(findings), *warning(findings))
    for each in (each for each in findings if each.code == code):
        said = each.document()
        assert said["severity"] in {"refuses", "warns"}
        for lang in LANGUAGES:
            assert "{" not in each.problem().text(lang) + each.problem().remedy(lang)
        assert said["fr"] != said["en"]
