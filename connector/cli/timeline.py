"""How a process went and what it waits for, as lines of at most `WIDTH` columns."""

import json
import textwrap
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from connector.cli.output import SESSION

WIDTH: Final = 100
_TIME: Final = len("2026-01-01 00:00:00")
_DAY: Final = len("2026-01-01 ")
_SHOWN: Final = 6
"""Attempts of one message that are shown: the first, and the last ones."""
_STATES: Final = {
    "pending": ("en attente", "pending"),
    "sent": ("remis", "delivered"),
    "failed": ("refusé ou abandonné", "refused or given up"),
    "dropped": ("abandonné ici", "dropped here"),
}


def waiting(found: dict[str, Any]) -> list[str]:
    """What it waits for now, and until when."""
    now = found.get("waiting")
    if not now:
        return []
    said = SESSION.pick("Attend : ", "Waiting for: ") + now[SESSION.lang]
    limits = []
    if now["since"]:
        limits.append(SESSION.pick("depuis ", "since ") + _instant(now["since"]))
    # A message that waits has said already when it is given up.
    if now["until"] and now["kind"] in {"peer", "person"}:
        until = _instant(now["until"])
        limits.append(SESSION.pick(f"au plus tard {until}", f"until {until} at the latest"))
    said += f" ({', '.join(limits)})" if limits else ""
    made = list(_wrapped(said, "  ", "    "))
    if now["do"]:
        made += _wrapped(f"→ {now['do'][SESSION.lang]}", "  ", "    ")
    return made


def lines(found: dict[str, Any]) -> list[str]:
    """Messages, attempts and decisions in the order in which they happened."""
    happened = [(one["at"], _message(one)) for one in found.get("messages", ())]
    happened += [(one["at"], _decision(one)) for one in found.get("decisions", ())]
    happened.sort(key=lambda each: datetime.fromisoformat(each[0]))
    return [line for _, block in happened for line in block]


def _message(one: dict[str, Any]) -> list[str]:
    arrow = "←" if one["direction"] == "in" else "→"
    state = _STATES.get(one.get("delivery") or "")
    said = f"{arrow} {one['type']}" + (f"  ({SESSION.pick(*state)})" if state else "")
    made = _entry(one["at"], said)
    attempts = one.get("attempts") or []
    if [each["n"] for each in attempts] == [1] and one["delivery"] == "sent":
        return made  # the one attempt that did is no news
    left_out = attempts[1 : 1 - _SHOWN] if len(attempts) > _SHOWN else []
    for each in attempts:
        if each in left_out:
            made += ["  " + " " * _TIME + "    …"] if each is left_out[0] else []
        else:
            made += _attempt(each)
    return made


def _attempt(one: dict[str, Any]) -> list[str]:
    number = SESSION.pick(f"essai {one['n']}", f"attempt {one['n']}") if one["n"] else "!"
    said = f"    {number}: {one[SESSION.lang]}"
    if one["next_at"]:
        at = _instant(one["next_at"])[_DAY:]
        said += SESSION.pick(f" ; suivant à {at}", f"; next at {at}")
    if one["answer"]:
        said += f"  {_gist(one['answer'])}"
    return _entry(one["at"], said, lines=5)


def _gist(answer: str) -> str:
    """What an answer says: of a protocol error the code and the reasons, else all of it."""
    try:
        told = json.loads(answer)
    except ValueError:
        return answer
    if not isinstance(told, dict):
        return answer
    reasons = told.get("reason")
    parts = [told.get("code"), *(reasons if isinstance(reasons, list) else [reasons])]
    return " ".join(one for one in parts if isinstance(one, str)) or answer


def _decision(one: dict[str, Any]) -> list[str]:
    who = one["role"] or SESSION.pick("politique", "policy")
    made = _entry(one["at"], f"⚖ {who}: {one['outcome']}")
    for reason in one["reasons"][SESSION.lang]:
        made += _wrapped(reason, " " * (_TIME + 6), " " * (_TIME + 6))
    return made


def _entry(at: str, said: str, *, lines: int | None = None) -> list[str]:
    made = list(_wrapped(said, f"  {_instant(at)}  ", " " * (_TIME + 8)))
    if lines is not None and len(made) > lines:
        return [*made[: lines - 1], made[lines - 1][: WIDTH - 1].rstrip() + "…"]
    return made


def _wrapped(said: str, first: str, then: str) -> Iterator[str]:
    """Lines of at most `WIDTH` columns; a word that is longer (a DID, an IRI) is cut."""
    yield from textwrap.wrap(
        said,
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        drop_whitespace=True,
        break_on_hyphens=False,
    )


def _instant(text: str) -> str:
    """An instant in UTC, to the second."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S")
