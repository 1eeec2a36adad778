"""Our own cases: policy, request, and the outcome and whole trace expected, as data files.

Each file holds the cases of one subject; a case has the shapes of docs/policy-files.md. The
expected trace gives, for every path, the outcome, the reason, and in brackets a duty's state;
"elsewhere" marks a rule that is about something else. Some cases also list the promises that come
with the answer. Expectations were written from the rules in
`policies.evaluate`, ODRL 2.2 and XML Schema, before the cases ran.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from policies import odrl, questions
from policies.problem import Problem

FOLDER = Path(__file__).parent / "cases"
CASES = {
    f"{path.stem}: {case['id']}": case
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
}


def trace(answer: dict[str, Any]) -> dict[str, str]:
    """Every rule, premise, constraint and duty of an answer, by its path."""
    found: dict[str, str] = {}
    for rule in answer["trace"]:
        marks = ("" if rule["applies"] else "elsewhere", "infringed" if "infringed" in rule else "")
        said = (rule["outcome"], rule.get("reason", ""), *marks)
        found[rule["path"]] = " ".join(filter(None, said))
        for premise in rule.get("premises", ()):
            for part in premise["refinements"]:
                _part(found, part)
        for part in (*rule["constraints"], *rule["duties"]):
            _part(found, part)
    return found


def _part(found: dict[str, str], part: dict[str, Any]) -> None:
    state = f"[{part['state']}]" if "state" in part else ""
    said = " ".join(filter(None, (part["outcome"], part.get("reason", ""), state)))
    # An obligation and the duty that it is stand at one path.
    found[part["path"] + (" duty" if part["path"] in found else "")] = said
    for child in part.get("children", ()):
        _part(found, child)


def test_there_are_enough_of_them():
    assert len(CASES) >= 200


@pytest.mark.parametrize("name", CASES)
def test_case(name: str):
    case = CASES[name]
    expected = case["expect"]
    if "problem" in expected:
        with pytest.raises(Problem) as caught:
            odrl.read(case["policy"])
        assert caught.value.code == expected["problem"]
        assert caught.value.params["path"] == expected["path"]
        return
    found = questions.answer(odrl.read(case["policy"]), questions.read(case["request"]))
    assert (found["outcome"], found.get("note")) == (expected["outcome"], expected.get("note"))
    assert trace(found) == expected["trace"]
    if "duties" in expected:
        promised: Any = found["duties"]
        assert [f"{each['kind']} {each['action']}" for each in promised] == expected["duties"]
