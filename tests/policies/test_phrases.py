"""What a document should hold instead is said in the reader's language, wherever it is said."""

import ast
import re
from collections.abc import Iterator

from policies.problem import Phrase, Problem
from policies.texts import PHRASES
from tests.support.source import modules

_NO_WORDS = re.compile(r"[A-Z0-9:|\-]*|true \| false")


def expectations() -> Iterator[tuple[str, str]]:
    """(where, text) of each `….problem(member, "text")` of the package."""
    for module in modules():
        if not module.name.startswith("policies"):
            continue
        for node in module.nodes:
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "problem":
                where = f"{module.where}:{node.lineno}"
                for argument in node.args[1:]:
                    assert not isinstance(argument, ast.JoinedStr | ast.BinOp), where
                    if isinstance(argument, ast.Constant):
                        yield where, str(argument.value)


def test_every_expectation_is_said_in_french_too():
    found = list(expectations())
    assert len(found) > 25
    assert [one for one in found if one[1] not in PHRASES and not _NO_WORDS.fullmatch(one[1])] == []


def test_every_phrase_is_used():
    said = {text for _, text in expectations()} | {"string", "group", "iri", "dateTime", "duration"}
    assert PHRASES.keys() - said == set()


def test_a_phrase_is_shown_in_the_language_asked_for_and_plain_to_machines():
    problem = Problem("policy-template-parameter", path="p", expected=Phrase("a list", "une liste"))
    document = problem.document()
    assert document["fr"] == "Modèle, p : attendu une liste."
    assert document["en"] == "Template, p: expected a list."
    assert document["params"] == {"path": "p", "expected": "a list"}
    assert type(document["params"]["expected"]) is str
