"""What the command line says of a process that waits, and of what its peer answered."""

import json
import logging
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from connector.base.telemetry import JsonFormatter
from connector.cli import timeline, transfer
from connector.cli.client import Client
from connector.cli.main import app
from connector.cli.output import SESSION

WAITING = {
    "kind": "attempt",
    "who": "did:web:a.example",
    "since": "2026-09-01T08:00:00.25Z",
    "until": "2026-09-04T08:00:00Z",
    "next_at": "2026-09-01T08:10:00Z",
    "fr": "l'essai suivant",
    "en": "the next attempt",
    "do": {"fr": "Prévenez-les.", "en": "Tell them."},
}


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SESSION, "lang", "en")
    monkeypatch.setattr(SESSION, "machine", False)


def attempted(answer: str) -> str:
    attempt = {"n": 1, "at": "2026-09-01T08:00:00Z", "status": 503, "problem": None}
    attempt |= {"answer": answer, "next_at": None, "fr": "réponse 503", "en": "answer 503"}
    message = {"direction": "out", "type": "ContractRequestMessage", "at": "2026-09-01T08:00:00Z"}
    found = {"messages": [message | {"delivery": "pending", "attempts": [attempt]}]}
    return " ".join("\n".join(timeline.lines(found)).split())


def test_since_when_it_waits_and_what_can_be_done_are_said(monkeypatch: pytest.MonkeyPatch):
    assert timeline.waiting({"waiting": WAITING}) == [
        "  Waiting for: the next attempt (since 2026-09-01 08:00:00)",
        "  → Tell them.",
    ]
    monkeypatch.setattr(SESSION, "lang", "fr")
    found = timeline.waiting({"waiting": WAITING | {"kind": "peer"}})
    assert " ".join(line.strip() for line in found) == (
        "Attend : l'essai suivant (depuis 2026-09-01 08:00:00, au plus tard 2026-09-04 08:00:00)"
        " → Prévenez-les."
    )


def test_the_reasons_of_a_protocol_error_are_shown_not_its_frame():
    frame = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "providerPid": "x" * 90}
    error = frame | {"@type": "ContractNegotiationError", "code": "too-busy"}
    said = attempted(json.dumps(error | {"reason": ["Come back.", {"@value": "Revenez."}]}))
    assert said.endswith("answer 503 too-busy Come back.")
    assert attempted(json.dumps(frame | {"reason": "Later."})).endswith("answer 503 Later.")


@pytest.mark.parametrize("answer", ["<html>", "[1]", '"x"', "{}", '{"reason":[]}', '{"code":1}'])
def test_what_is_no_protocol_error_is_shown_as_it_came(answer: str):
    assert attempted(answer).endswith(f"answer 503 {answer}")


class Slow:
    """A node whose fetch goes on for as many questions as it has views."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = list(kinds)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        kind = self.kinds.pop(0)
        work = {"running": bool(self.kinds), "parts": 0, "rows": 0, "bytes": 0}
        return {"fetch": work, "waiting": WAITING | {"kind": kind}}


def test_a_fetch_that_does_not_go_on_says_what_it_waits_for(capsys: pytest.CaptureFixture[str]):
    node = Slow("delivery", "attempt", "attempt", "circuit", "node", "nothing")
    transfer._follow(cast("Client", node), "/v1/transfers/x")
    said = capsys.readouterr()
    assert said.err.count("Waiting for") == 3
    assert said.out == ""


def test_a_suspension_that_is_over_is_not_shown_as_a_fault():
    said = {"en": "The transfer is suspended.", "fr": "–"}
    problem = {"code": "transfer-suspended", "do": {"en": "Wait.", "fr": "–"}, **said}
    found: dict[str, Any] = {"pid": "x", "state": "SUSPENDED", "parts": 0, "rows": 0, "bytes": 0}
    found |= {"reasons": [], "fetch": {"problem": problem}}
    assert "  ! The transfer is suspended." in transfer._lines(found)
    assert "  ! The transfer is suspended." not in transfer._lines(found | {"state": "STARTED"})


def test_a_transfer_that_ends_without_a_row_says_so():
    found = {"pid": "x", "state": "COMPLETED", "parts": 1, "rows": 0, "bytes": 0, "reasons": []}
    assert "No row:" in "".join(transfer._lines(found))
    for other in ({"rows": 1}, {"state": "STARTED"}, {"parts": 0}):
        assert "No row:" not in "".join(transfer._lines(found | other))


@pytest.mark.parametrize("command", [("transfer", "start"), ("negotiation", "verify")])
def test_help_keeps_the_name_of_the_setting(command: tuple[str, str]):
    assert "by_hand” of its settings" in " ".join(
        CliRunner().invoke(app, [*command, "--help"]).output.split()
    )


def test_a_line_of_the_log_says_what_our_own_rooms_tell_and_nothing_of_others():
    made = [
        json.loads(
            JsonFormatter().format(
                logging.LogRecord(name, logging.WARNING, "", 0, "%s: %s", ("why", "x-y"), None)
            )
        )["event"]
        for name in ("preau", "connector.delivery.outbox", "connectors", "asyncio")
    ]
    assert made == ["why: x-y", "why: x-y", "connectors", "asyncio"]
