"""A small, generated set of traces: xAPI statements whose every row can be told from its content.

The page a statement is about belongs to one learner and one moment, so a test can find the source
of a received row without trusting anything the node says about it.
"""

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Json = dict[str, Any]

HOME: Final = "https://mooc.example"
PURPOSE: Final = "https://w3id.org/preau/ns#EducationResearch"
CATEGORY: Final = "https://w3id.org/preau/ns#LearningTraces"
FIELDS: Final = ("actor", "verb.id", "object.id", "timestamp")
COLUMNS: Final = (
    *("event_id", "id_type", "id_value", "id_home", "recipient", "purpose", "category"),
    *("status", "at", "valid_until", "notice"),
)
_VERBS: Final = ("played", "paused", "seeked", "completed")
_START: Final = datetime(2025, 9, 1, 8, 0, tzinfo=UTC)


def learner(number: int) -> str:
    """The account name of a learner."""
    return f"learner-{number:03d}"


def consents(name: str) -> bool:
    """Whether a learner consents: about 70 in a hundred do."""
    return int(hashlib.sha256(f"preau:{name}".encode()).hexdigest()[:8], 16) % 100 < 70


def page(name: str, index: int) -> str:
    """The page that only this learner's statement number `index` is about."""
    return f"{HOME}/pages/{hashlib.sha256(f'{name}/{index}'.encode()).hexdigest()[:16]}"


def statement(name: str, index: int, **changes: Any) -> Json:
    """One statement of a learner."""
    moment = _START + timedelta(minutes=index * 7919 + len(name), milliseconds=index)
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, page(name, index))),
        "actor": {"objectType": "Agent", "account": {"homePage": HOME, "name": name}},
        "verb": {"id": f"https://example.org/verbs/{_VERBS[index % len(_VERBS)]}"},
        "object": {"id": page(name, index), "objectType": "Activity"},
        "context": {"registration": str(uuid.uuid5(uuid.NAMESPACE_URL, name))},
        "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    } | changes


def statements(learners: int = 40, each: int = 15) -> list[Json]:
    """`each` statements of each learner, mixed as they would come in."""
    return [statement(learner(n), index) for index in range(each) for n in range(learners)]


def lines(rows: Iterable[object]) -> bytes:
    """Rows as JSON Lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def consent_file(names: Iterable[str], recipient: str, status: str = "given") -> str:
    """A consent import (CSV) for these learners."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for name in names:
        who = (f"event-{status}-{name}", "account", name, HOME)
        rows.writerow((*who, recipient, PURPOSE, CATEGORY, status, "2025-09-01T08:00:00Z", "", ""))
    return out.getvalue()


def application(**changes: Any) -> Json:
    """A researcher's draft."""
    return {
        "purpose": PURPOSE,
        "project": {"title": "A study", "end": "2027-06-30"},
        "fields": list(FIELDS),
        "period": {"from": "2020-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"},
        "relation": {"type": "separate"},
        "processors": [],
    } | changes


def about(**changes: Any) -> str:
    """What the steward declares, as TOML; `changes` by member, `policy` and `params` included.

    A member set to None is left out.
    """
    declared: Json = {
        "id": "traces",
        "kind": "xapi",
        "category": CATEGORY,
        "audience": "adults",
        "periodicity": "irregular",
        "until": "2027-12-31T00:00:00Z",
        "retention": "P1Y",
        "decisions": [],
        "title": {"fr": "Traces", "en": "Traces"},
        "notice": {"iri": "https://example.org/notice", "version": "1", "text": "…"},
        "basis": {"type": "consent", "reference": "register 1"},
        "template": "research-under-consent",
        "params": {
            "purposes": [PURPOSE],
            "until": "2027-12-31T00:00:00Z",
            "retention": "P1Y",
        },
    } | changes
    params = declared.pop("params")
    template, each_purpose = declared.pop("template"), declared.pop("each_purpose", False)
    plain = {k: v for k, v in declared.items() if v is not None and not isinstance(v, dict)}
    tables = {k: v for k, v in declared.items() if isinstance(v, dict)}
    tables["policy"] = {"template": template, "each_purpose": each_purpose}
    tables["policy.params"] = params
    found = _members(plain)
    for name, table in tables.items():
        found += [f"[{name}]", *_members(table)]
    return "\n".join(found) + "\n"


def _members(table: Json) -> list[str]:
    """JSON's strings, numbers and arrays are TOML's."""
    return [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in table.items()]
