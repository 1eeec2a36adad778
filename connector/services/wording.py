"""Policies, plans and decisions as sentences in both languages, for the views."""

from collections.abc import Iterable
from typing import Any

from policies import explain
from policies.model import Policy
from policies.plan import Plan

Words = dict[str, list[str]]


def policies(found: Iterable[Policy]) -> Words:
    """Several policies, one after the other."""
    every = list(found)
    return {
        "fr": [line for one in every for line in explain.policy(one, "fr")],
        "en": [line for one in every for line in explain.policy(one, "en")],
    }


def plan(found: Plan | None) -> Words:
    """What will be released, removed, promised."""
    if found is None:
        return {"fr": [], "en": []}
    return {"fr": list(found.explain("fr")), "en": list(found.explain("en"))}


def reasons(shared: dict[str, Any]) -> Words:
    """The reasons kept with a decision."""
    found = shared.get("reasons") or {}
    return {"fr": list(found.get("fr", [])), "en": list(found.get("en", []))}
