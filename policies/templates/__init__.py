"""The policy library: templates that a steward fills in, each a JSON file beside this one.

A bundle is a template that composes others: its parameters are theirs.

A template file holds titles and texts in French and English, the JSON Schema of its parameters,
a policy in which `"{name}"` stands for a parameter, and vectors that the tests run. A part with
`"when": "name"` stands only if that parameter is given. A parameter's `x-value` says what its
text becomes in the policy: iri, group, dateTime, duration, integer, decimal,
string or boolean.

An institution adds its own: the caller hands in their parsed JSON, checked by `library`, and every
function here takes that library as `own`. Built-in names cannot be given another meaning.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Any, Final

from policies import odrl, values
from policies.composition import compose
from policies.model import BOOLEAN, DATETIME, DECIMAL, DURATION, INTEGER, STRING, Policy
from policies.naming import rules_digest
from policies.phrases import pick
from policies.problem import Language, Problem
from policies.strict import Members
from policies.templates import form

Library = Mapping[str, Mapping[str, Any]]
"""An institution's own templates by name, as `library` checked them."""

_CODE: Final = "policy-template-parameter"
_GROUP: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TYPES: Final[Mapping[str, str]] = {
    "dateTime": DATETIME,
    "duration": DURATION,
    "integer": INTEGER,
    "decimal": DECIMAL,
    "string": STRING,
    "boolean": BOOLEAN,
}
_EXAMPLES: Final[Mapping[str, str]] = {
    "dateTime": "2027-08-31T00:00:00Z",
    "duration": "P180D",
    "decimal": "0.8",
}
_NONE: Final[Library] = {}


def library(found: Mapping[str, object]) -> Library:
    """The templates that these parsed files are, by name (file names without `.json`).

    Raises:
        Problem: `policy-template-taken` (a built-in name), `policy-template-form` (what is wrong
            in which file).
    """
    checked = {}
    for name, data in found.items():
        if name in names():
            raise Problem("policy-template-taken", name=name[:80])
        with _named(name):
            checked[name] = form.check(data, name)
    for name, template in checked.items():
        with _named(name):
            _check_parts(template, checked)
    return checked


@contextmanager
def _named(name: str) -> Iterator[None]:
    """A problem says in which template it lies."""
    try:
        yield
    except Problem as fault:
        fault.params["name"] = name[:80]
        raise


def names(own: Library = _NONE) -> tuple[str, ...]:
    """The names of all templates, sorted."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    built_in = (name.removesuffix(".json") for name in files if name.endswith(".json"))
    return tuple(sorted({*built_in, *own}))


def parameters(name: str, own: Library = _NONE) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a template's parameters.

    Raises:
        Problem: `policy-template-unknown`.
    """
    return dict(_schema(_load(name, own), own))


def parts(name: str, own: Library = _NONE) -> tuple[str, ...]:
    """The names of the templates that a bundle composes; empty for a plain template.

    Raises:
        Problem: `policy-template-unknown`.
    """
    return tuple(_load(name, own).get("compose", ()))


def title(name: str, lang: Language, own: Library = _NONE) -> str:
    """What people call a template.

    Raises:
        Problem: `policy-template-unknown`.
    """
    return str(_load(name, own)["title"][lang])


def vectors(name: str, own: Library = _NONE) -> list[dict[str, Any]]:
    """The template's own examples: parameters, request, expected outcome.

    Raises:
        Problem: `policy-template-unknown`.
    """
    return list(_load(name, own)["vectors"])


def describe(name: str, lang: Language, own: Library = _NONE) -> list[str]:
    """Title, text and one line per parameter, in one language.

    Raises:
        Problem: `policy-template-unknown`.
    """
    found = _load(name, own)
    schema = _schema(found, own)
    lines = [found["title"][lang], *found["text"][lang]]
    for parameter, declared in schema["properties"].items():
        need = (
            ("obligatoire", "required")
            if parameter in schema["required"]
            else ("facultatif", "optional")
        )
        default = f", {declared['default']}" if "default" in declared else ""
        lines.append(f"{parameter} ({pick(need, lang)}{default}) : {declared['x-text'][lang]}")
    return lines


def build(name: str, params: Mapping[str, object], own: Library = _NONE) -> Policy:
    """The offer, without target, that a template makes of these parameters.

    Its id is the content name of its rules; the catalog gives it its own.

    Raises:
        Problem: `policy-template-unknown`, or `policy-template-parameter` with the parameter.
    """
    found = _load(name, own)
    filled = _check(_schema(found, own), params)
    if "compose" in found:
        return compose([_part(part, params, own) for part in found["compose"]])
    policy = odrl.read(_fill({"@type": "Offer", **found["policy"]}, filled))
    return odrl.read(odrl.wire(policy, **{"@id": "ni:///sha-256;" + rules_digest(policy)}))


def _part(name: str, params: Mapping[str, object], own: Library) -> Policy:
    """A template of a bundle, filled in with those of the bundle's parameters that are its own."""
    mine = parameters(name, own)["properties"]
    return build(name, {key: value for key, value in params.items() if key in mine}, own)


def _schema(found: Mapping[str, Any], own: Library) -> dict[str, Any]:
    """The parameters of a template; those of a bundle are those of its parts together."""
    if "compose" not in found:
        return dict(found["parameters"])
    schemas = [parameters(part, own) for part in found["compose"]]
    properties = {key: declared for each in schemas for key, declared in each["properties"].items()}
    required = {key for each in schemas for key in each["required"]}
    return {
        **schemas[0],
        "required": [key for key in properties if key in required],
        "properties": properties,
    }


def _check_parts(found: Mapping[str, Any], own: Library) -> None:
    """A bundle's parts are plain templates that understand parameters of one name alike."""
    seen: dict[str, Any] = {}
    at = Members({}, "policy-template-form", "", frozenset(), frozenset())
    for index, part in enumerate(found.get("compose", ())):
        path = f"compose[{index}]"
        if part not in names(own) or "compose" in _load(part, own):
            raise at.problem(path, "the name of a plain template")
        for key, declared in parameters(part, own)["properties"].items():
            if seen.setdefault(key, declared) != declared:
                raise at.problem(path, "templates that understand {key} alike", key=key)


def _load(name: str, own: Library) -> Mapping[str, Any]:
    known = names(own)
    if name not in known:
        raise Problem("policy-template-unknown", name=name[:80], known=", ".join(known))
    return own[name] if name in own else _built_in(name)


@cache
def _built_in(name: str) -> dict[str, Any]:
    text = resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _check(schema: Mapping[str, Any], params: Mapping[str, object]) -> dict[str, object]:
    """Each parameter as the JSON of its ODRL value(s); absent optional ones are left out."""
    declared = schema["properties"]
    required = frozenset(schema["required"])
    members = Members(params, _CODE, "params", required, frozenset(declared) - required)
    defaults = {k: v["default"] for k, v in declared.items() if "default" in v}
    given = {k: members.value(k) for k in declared if k in members}
    return {
        key: _parameter(members, key, declared[key], value)
        for key, value in (defaults | given).items()
    }


def _parameter(members: Members, key: str, declared: Mapping[str, Any], value: object) -> object:
    if declared["type"] != "array":
        return _value(members, key, declared, value)
    if not isinstance(value, list) or not value:
        raise members.problem(key, "a list with at least one element")
    return [_value(members, key, declared["items"], item) for item in value]


def _value(members: Members, key: str, declared: Mapping[str, Any], value: object) -> object:
    kind = declared["x-value"]
    allowed = declared.get("enum", ())
    if allowed and value not in [*allowed, *map(odrl.iri, allowed)]:
        raise members.problem(key, " | ".join(map(str, declared["enum"])))
    if kind == "integer" and (type(value) is not int or value < declared.get("minimum", 0)):
        raise members.problem(key, "a whole number")
    if kind == "boolean" and not isinstance(value, bool):
        raise members.problem(key, "true | false")
    if kind in {"integer", "boolean"}:
        return {"@value": str(value).lower(), "@type": _TYPES[kind]}
    if not isinstance(value, str) or not value:
        raise members.problem(key, kind)
    if kind == "group":
        value = f"group:{value}" if _GROUP.fullmatch(value) else value
    if kind in {"iri", "group"}:
        return _iri(members, key, value)
    literal = values.literal(value, _TYPES[kind])
    if values.parse(literal) is None:
        raise members.problem(key, _EXAMPLES[kind])
    return {"@value": literal.text, "@type": literal.datatype}


def _iri(members: Members, key: str, value: str) -> object:
    try:
        probe = odrl.iri(value)
    except Problem:
        raise members.problem(
            key, "an IRI such as https://w3id.org/preau/ns#EducationResearch"
        ) from None
    return {"@id": probe}


def _fill(part: object, filled: Mapping[str, object]) -> object:
    """The policy with each `"{name}"` replaced and each part left out whose parameter is absent."""
    if isinstance(part, list):
        kept = [
            p for p in part if not isinstance(p, dict) or p.get("when", None) in {None, *filled}
        ]
        return [_fill(each, filled) for each in kept]
    if isinstance(part, dict):
        return {key: _fill(value, filled) for key, value in part.items() if key != "when"}
    if isinstance(part, str) and part.startswith("{") and part.endswith("}"):
        return filled[part[1:-1]]
    return part
