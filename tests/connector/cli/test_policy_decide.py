"""`preau policy decide`: two files in, one document out, no node."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import preau

POLICY = {"@id": "urn:p", "@type": "Offer", "permission": [{"action": "use", "target": "urn:t"}]}
TURTLE = """
@prefix odrl: <http://www.w3.org/ns/odrl/2/> .
<urn:p> a odrl:Set ; odrl:uid <urn:p> ; odrl:permission [
  odrl:action odrl:use ; odrl:target <urn:t> ;
  odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:lteq ; odrl:rightOperand 3 ]
] .
"""


def ask(**members: object) -> dict[str, object]:
    return {"v": 1, "action": "use", "target": "urn:t", "time": "2026-12-01T00:00:00Z", **members}


def decide(folder: Path, policy: str | dict[str, Any], request: object, *more: str) -> Any:
    source = folder / ("p.ttl" if isinstance(policy, str) else "p.json")
    source.write_text(policy if isinstance(policy, str) else json.dumps(policy), "utf-8")
    (folder / "r.json").write_text(
        request if isinstance(request, str) else json.dumps(request), "utf-8"
    )
    return preau("policy", "decide", "--policy", source, "--request", folder / "r.json", *more)


def test_an_answer_for_machines(tmp_path: Path):
    done = decide(tmp_path, POLICY, ask(), "--json")
    assert (done.code, json.loads(done.out)["outcome"]) == (0, "permit")


def test_a_refusal_is_an_answer_too(tmp_path: Path):
    done = decide(tmp_path, POLICY, ask(target="urn:other"), "--json")
    assert (done.code, json.loads(done.out)["outcome"]) == (0, "not-applicable")


def test_an_answer_for_people(tmp_path: Path):
    done = decide(tmp_path, POLICY, ask(), "--lang", "fr")
    assert done.code == 0
    assert "Accordé." in done.out
    assert "permission[0]: satisfied" in done.out


def test_turtle_is_read_too(tmp_path: Path):
    asked = ask(phase="transfer", facts={"odrl:count": {"value": 4}})
    done = decide(tmp_path, TURTLE, asked, "--json")
    assert json.loads(done.out)["outcome"] == "deny"
    assert json.loads(done.out)["trace"][0]["constraints"][0]["seen"][0]["value"] == "4"


@pytest.mark.parametrize(
    ("policy", "request_", "code"),
    [
        (POLICY, "{", "catalog-json-invalid"),
        (POLICY, '{"v": 1, "v": 1}', "catalog-json-invalid"),
        (POLICY, "[" * 100_000, "catalog-json-invalid"),
        (POLICY, ask(more=1), "policy-question"),
        ({"@type": "Set", "permission": [{}]}, ask(), "policy-missing-member"),
        ("<urn:p> a", ask(), "policy-rdf"),
        ("<urn:p> a <urn:q> .", ask(), "policy-rdf-count"),
        (TURTLE.replace("odrl:count", '"x"@fr'), ask(), "policy-unknown-member"),
        (
            TURTLE.replace("odrl:target <urn:t>", "odrl:failure <urn:t>"),
            ask(),
            "policy-unknown-member",
        ),
    ],
)
def test_bad_files_are_problems(tmp_path: Path, policy: Any, request_: object, code: str):
    done = decide(tmp_path, policy, request_, "--json")
    assert (done.code, json.loads(done.out)["code"]) == (1, code)
