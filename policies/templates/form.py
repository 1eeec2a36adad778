"""The form of a template file, checked for those that an institution writes itself.

The built-in files are held by tests; a steward's own file is held by this module, so that a
mistake is located when the file is read and never surfaces as a policy that says less than meant.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.strict import Members

_CODE: Final = "policy-template-form"
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_MEMBERS: Final = frozenset({"v", "name", "title", "text", "vectors"})
_OWN_RULES: Final = frozenset({"parameters", "policy"})
_BUNDLE: Final = frozenset({"compose"})
_SCHEMA: Final = frozenset({"type", "additionalProperties", "required", "properties"})
_POLICY: Final = frozenset({"permission", "prohibition", "obligation"})
_VALUES: Final = (
    "iri",
    "group",
    "dateTime",
    "duration",
    "integer",
    "decimal",
    "string",
    "boolean",
)
_LONGEST_NAME: Final = 60


def check(data: object, name: str) -> dict[str, Any]:
    """A template's parsed JSON, if it is one and says that it is called `name`.

    A template has rules of its own with their parameters, or is a bundle: the names of templates
    that it composes, whose parameters are its own.

    Raises:
        Problem: `policy-template-form`, with the path in the file and what was expected there.
    """
    bundle = isinstance(data, Mapping) and "compose" in data
    found = Members(data, _CODE, "", _MEMBERS | (_BUNDLE if bundle else _OWN_RULES), frozenset())
    found.constant("v", 1)
    if found.value("name") != name or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise found.problem("name", "the file's name without .json: a-z, 0-9 and hyphens")
    _bilingual(found.value("title"), "title", lines=False)
    _bilingual(found.value("text"), "text", lines=True)
    if bundle:
        found.texts("compose")
    else:
        declared = _parameters(found.value("parameters"))
        policy = found.value("policy")
        rules = Members(policy, _CODE, "policy", frozenset(), _POLICY)
        _placeholders(rules, "", policy, declared, frozenset())
    vectors = found.value("vectors")
    if not isinstance(vectors, list) or not all(isinstance(one, dict) for one in vectors):
        raise found.problem("vectors", "a list of examples")
    return dict(json.loads(json.dumps(data)))  # a copy: what was checked is what is used


def _bilingual(value: object, where: str, *, lines: bool) -> None:
    both = Members(value, _CODE, where, frozenset({"fr", "en"}), frozenset())
    for lang in ("fr", "en"):
        if not lines:
            both.text(lang)
            continue
        said = both.value(lang)
        if not isinstance(said, list) or not said or not all(isinstance(x, str) for x in said):
            raise both.problem(lang, "a list of sentences")


def _parameters(schema: object) -> dict[str, bool]:
    """Each parameter, and whether it always has a value (required, or with a default)."""
    members = Members(schema, _CODE, "parameters", _SCHEMA, frozenset({"$schema"}))
    members.constant("type", "object")
    members.constant("additionalProperties", expected=False)
    properties, required = members.value("properties"), members.value("required")
    if not isinstance(properties, dict):
        raise members.problem("properties", "object")
    if not isinstance(required, list) or not {str(one) for one in required} <= set(properties):
        raise members.problem("required", "names of properties")
    for name, declared in properties.items():
        _parameter(declared, f"parameters.properties.{name}")
    return {
        name: name in required or "default" in declared for name, declared in properties.items()
    }


def _parameter(declared: object, where: str) -> None:
    optional = {"items", "minItems", "minimum", "default", "enum", "format", "x-value"}
    members = Members(declared, _CODE, where, frozenset({"type", "x-text"}), frozenset(optional))
    _bilingual(members.value("x-text"), f"{where}.x-text", lines=False)
    if members.value("type") == "array":
        items = {"type", "x-value"}
        inner = members.value("items")
        members = Members(
            inner, _CODE, f"{where}.items", frozenset(items), frozenset({"enum", "format"})
        )
    if members.value("x-value") not in _VALUES:
        raise members.problem("x-value", " | ".join(_VALUES))
    allowed = members.value("enum") if "enum" in members else []
    if not isinstance(allowed, list) or not all(isinstance(one, str) for one in allowed):
        raise members.problem("enum", "a list of texts")
    if "minimum" in members and type(members.value("minimum")) is not int:
        raise members.problem("minimum", "a whole number")


def _placeholders(
    at: Members, path: str, part: object, declared: Mapping[str, bool], given: frozenset[str]
) -> None:
    """Every `{name}` is a parameter that has a value wherever it stands."""
    if isinstance(part, dict):
        when = part.get("when")
        if when is not None and when not in declared:
            raise at.problem(f"{path}.when".lstrip("."), "the name of a parameter")
        given = given | {str(when)} if when is not None else given
    elif isinstance(part, str) and part.startswith("{") and part.endswith("}"):
        name = part[1:-1]
        if name not in declared:
            raise at.problem(path, "a parameter; {name} is none", name=part)
        if not declared[name] and name not in given:
            raise at.problem(path, 'beside it "when": "{name}", which is optional', name=name)
    for step, inner in _inside(part):
        _placeholders(at, f"{path}.{step}".lstrip("."), inner, declared, given)


def _inside(part: object) -> Iterator[tuple[str, object]]:
    if isinstance(part, dict):
        yield from ((str(key), value) for key, value in part.items())
    elif isinstance(part, list):
        yield from ((str(place), value) for place, value in enumerate(part))
