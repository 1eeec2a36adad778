"""How clauses and findings are printed."""

from collections.abc import Iterable, Mapping
from typing import Any

from connector.cli.output import SESSION

_KINDS = {
    "permission": ("permis", "permitted"),
    "condition": ("si", "if"),
    "duty": ("obligation", "duty"),
    "prohibition": ("interdit", "forbidden"),
    "obligation": ("obligation", "obligation"),
}


def clauses(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line a clause: what it says, and how it is held."""
    lines = []
    for one in found:
        held = one["held"][SESSION.lang]
        kind = SESSION.pick(*_KINDS[one["kind"]])
        indent = "  " if one["kind"] in {"condition", "duty"} else ""
        lines.append(f"{indent}{kind}: {one[SESSION.lang]}" + (f"  [{held}]" if held else ""))
    return lines


def warnings(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Findings of the linter, each with what to do."""
    marks = {"refuses": "✗", "warns": "!"}
    return [
        f"{marks[one['severity']]} {one[SESSION.lang]}\n  → {one['do'][SESSION.lang]}"
        f"  [{one['code']}]"
        for one in found
    ]
