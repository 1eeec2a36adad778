"""Every code that the code names has its texts, and every text is named by the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from string import Formatter

from policies.problem import Text, registered
from tests.support.source import Module, modules

Raised = tuple[str, str, set[str] | None]
"""Where, the code, and the names of its parameters (None for `**params`)."""


def is_table(module: Module) -> bool:
    """Whether a module holds texts rather than code."""
    return module.name.startswith("connector.base.texts") or module.name.endswith(".texts")


@cache
def tables() -> dict[str, Text]:
    """The texts of the three packages, without what other tests may have registered."""
    found: dict[str, Text] = {}
    for module in modules():
        if is_table(module):
            found |= getattr(import_module(module.name), "TEXTS", {})
    return found


def named(node: ast.expr) -> str:
    """The last part of a dotted name; nothing of any other expression."""
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def problem_classes() -> set[str]:
    """`Problem` and the names of the classes made from it."""
    names = {"Problem"}
    classes = [n for m in modules() for n in m.nodes if isinstance(n, ast.ClassDef)]
    while True:
        more = {c.name for c in classes if {named(base) for base in c.bases} & names}
        if more <= names:
            return names
        names |= more


@cache
def raised() -> tuple[Raised, ...]:
    """Of each `Problem("…", …)` in the code."""
    return tuple(_raised())


def _raised() -> Iterator[Raised]:
    classes = problem_classes()
    for module in modules():
        for node in module.nodes:
            if not (isinstance(node, ast.Call) and named(node.func) in classes):
                continue
            if node.args and isinstance(node.args[0], ast.Constant):
                names = {keyword.arg for keyword in node.keywords}
                known = None if None in names else {name for name in names if name}
                yield f"{module.where}:{node.lineno}", str(node.args[0].value), known


def placeholders(template: str) -> set[str]:
    """The parameters that a sentence shows."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_every_code_named_in_the_code_has_its_texts():
    assert [f"{where}: {code}" for where, code, _ in raised() if code not in tables()] == []


def test_every_text_is_registered():
    assert tables().keys() <= registered().keys()


def test_every_text_is_named_by_the_code():
    named = {
        node.value
        for module in modules()
        if not is_table(module)
        for node in module.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(tables().keys() - named) == []


def test_every_parameter_shown_is_given():
    found = []
    for where, code, given in raised():
        text = tables().get(code)
        if text and given is not None:
            shown = placeholders(text.fr) | placeholders(text.do_fr)
            found += [f"{where}: {code} lacks {name}" for name in shown - given - {"code"}]
    assert found == []


def test_every_text_is_complete():
    parts = {c: (t.fr, t.en, t.do_fr, t.do_en) for c, t in tables().items()}
    assert [code for code, texts in parts.items() if not all(map(str.strip, texts))] == []


def test_both_languages_show_the_same_parameters():
    found = [
        code
        for code, text in tables().items()
        if placeholders(text.fr) != placeholders(text.en)
        or placeholders(text.do_fr) != placeholders(text.do_en)
        or "" in placeholders(text.fr) | placeholders(text.do_fr)
    ]
    assert found == []


def test_codes_are_in_kebab_case():
    assert [c for c in tables() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", c)] == []
