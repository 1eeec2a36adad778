"""Never stuck in silence: what each side sees of a process while a peer is away, and after."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from connector.base.texts import delivery, store
from connector.cli import timeline
from connector.cli.output import SESSION
from connector.identity.ports import Response
from connector.protocol import negotiation, transfer
from connector.services.negotiate import people, reach
from connector.services.release import transferring
from connector.services.show import views
from connector.services.show.waiting import (
    NOTHING,
    Waiting,
    came_to,
    for_negotiation,
    for_transfer,
)
from connector.store import negotiations, transfers
from connector.store.rows import AttemptRow, OutboxRow
from policies.problem import Problem
from tests.support.pair import DPO, RESEARCHER, Pair, Wire, application, statements


@pytest.fixture
def sent() -> OutboxRow:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    return OutboxRow(
        process="p",
        peer="did:web:a.example",
        url="https://a.example/dsp",
        type="ContractRequestMessage",
        body=b"{}",
        next_at=now,
        created=now,
    )


async def waiting(nodes: Pair, pid: str) -> dict[str, Any]:
    found: dict[str, Any] = (await nodes.seen(nodes.consumer, pid))["waiting"]
    return found


async def away(nodes: Pair) -> str:
    """A request to a provider that has just gone; our pid."""
    dataset = await nodes.publish(statements(12), decisions='"dpo"')
    made = await people.request(nodes.consumer, RESEARCHER, dataset, application())
    assert made["waiting"]["kind"] == "delivery"
    nodes.wire.down.add(urlsplit(nodes.provider.url).netloc)
    await nodes.consumer.worker.run_until_idle()
    return str(made["pid"])


async def test_a_peer_that_is_away_is_seen_with_each_attempt_and_what_comes_next(nodes: Pair):
    pid = await away(nodes)
    seen = await nodes.seen(nodes.consumer, pid)
    [message] = seen["messages"]
    [attempt] = message["attempts"]
    assert (attempt["n"], attempt["problem"]) == (1, "delivery-unreachable")
    assert message["delivery"] == "pending"
    now = seen["waiting"]
    assert (now["kind"], now["who"]) == ("attempt", nodes.provider.did)
    assert now["next_at"] == attempt["next_at"] == message["next_at"]
    assert now["until"] == message["deadline"]
    assert "localhost:9101" in now["fr"]
    assert "localhost:9101" in now["en"]
    assert now["since"] == message["at"]
    assert now["do"]["en"].startswith("Check that the node is running")
    assert now["do"]["fr"].startswith("Vérifiez que ce nœud est en marche")

    for _ in range(3):
        nodes.clock.advance(1)
        await nodes.consumer.worker.run_until_idle()
    now = await waiting(nodes, pid)
    assert now["kind"] == "circuit"
    assert now["next_at"] > nodes.clock.now().isoformat()
    assert "UTC" in now["en"]
    assert "left alone until" in now["en"]

    nodes.wire.down.clear()
    nodes.clock.advance(600)
    await nodes.settle()
    seen = await nodes.seen(nodes.consumer, pid)
    attempts = seen["messages"][0]["attempts"]
    # What waited for the circuit was no attempt, and is not counted as one.
    assert [one["n"] for one in attempts] == list(range(1, len(attempts) + 1))
    assert attempts[-1]["status"] == 201
    assert (seen["waiting"]["kind"], seen["waiting"]["who"]) == ("peer", nodes.provider.did)
    theirs = await nodes.at_provider()
    assert (theirs["waiting"]["kind"], theirs["waiting"]["who"]) == ("person", "dpo")


async def test_what_a_peer_refused_with_is_shown_without_its_secrets(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    pid = await away(nodes)
    nodes.wire.down.clear()
    answer = Response(503, {}, b'{"code":"busy","dataAddress":{"token":"s3cret"}}')

    async def busy(*_: object, **__: object) -> Response:
        return answer

    nodes.clock.advance(600)
    monkeypatch.setattr(Wire, "post", busy)
    await nodes.consumer.worker.run_until_idle()
    attempt = (await nodes.seen(nodes.consumer, pid))["messages"][0]["attempts"][-1]
    assert (attempt["status"], attempt["answer"]) == (503, '{"code":"busy"}')
    assert (await waiting(nodes, pid))["en"].count("answer 503") == 1


async def test_after_the_deadline_of_the_settings_it_is_over_and_says_why(nodes: Pair):
    limits = nodes.consumer.settings.delivery
    object.__setattr__(limits, "deadline_hours", 5)
    pid = await away(nodes)
    sent = (await nodes.seen(nodes.consumer, pid))["messages"][0]
    assert sent["deadline"] == (nodes.clock.now() + timedelta(hours=5)).isoformat().replace(
        "+00:00", "Z"
    )
    for _ in range(5):
        nodes.clock.advance(3600)
        await nodes.consumer.worker.run_until_idle()
    seen = await nodes.seen(nodes.consumer, pid)
    assert (seen["state"], seen["code"]) == ("TERMINATED", "delivery-expired")
    assert seen["waiting"] == NOTHING.document()
    assert seen["messages"][0]["delivery"] == "failed"
    assert seen["messages"][0]["attempts"][-1]["problem"] == "delivery-expired"


async def test_a_transfer_tells_who_is_awaited_until_the_agreement_ends(nodes: Pair):
    dataset = await nodes.publish(statements(12))
    await nodes.consent([f"learner-{number}" for number in range(12)])
    await nodes.request(dataset)
    agreement = (await views.agreements(nodes.consumer))[0]["id"]
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    seen = await views.transfer(nodes.consumer, pid)
    assert seen["waiting"]["kind"] == "delivery"
    await nodes.settle()
    mine = await views.transfer(nodes.consumer, pid)
    theirs = await views.transfer(nodes.provider, (await views.transfers(nodes.provider))[0]["pid"])
    assert (mine["waiting"]["kind"], mine["waiting"]["who"]) == ("person", "researcher")
    assert (theirs["waiting"]["kind"], theirs["waiting"]["who"]) == ("peer", nodes.consumer.did)
    assert mine["waiting"]["until"] == theirs["waiting"]["until"] is not None
    assert theirs["decisions"]
    assert "dataAddress" not in str(mine["messages"]) + str(theirs["messages"])
    await transferring.suspend(nodes.provider, DPO, theirs["pid"], "a moment")
    await nodes.settle()
    mine = await views.transfer(nodes.consumer, pid)
    assert (mine["waiting"]["kind"], mine["waiting"]["who"]) == ("peer", nodes.provider.did)
    assert "preau transfer resume" in mine["waiting"]["do"]["en"]  # T2: either party may


async def test_no_state_waits_in_silence(nodes: Pair):
    """Every state of both machines, on both sides, names somebody in both languages."""
    dataset = await nodes.publish(statements(12))
    await nodes.consent([f"learner-{number}" for number in range(12)])
    await nodes.request(dataset)
    agreement = (await views.agreements(nodes.consumer))[0]["id"]
    await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    for node in (nodes.provider, nodes.consumer):
        [n] = await node.store.read(negotiations.listing)
        [t] = await node.store.read(transfers.listing)
        told: list[Waiting] = []
        told += [
            for_negotiation(replace(n, state=state))
            for state in negotiation.State
            if state not in negotiation.TERMINAL
        ]
        told += [
            for_transfer(replace(t, state=state, suspended_by=by))
            for state in transfer.State
            for by in transfer.Role
            if state not in transfer.TERMINAL
        ]
        for one in told:
            assert one.kind != "nothing"
            assert one.fr
            assert one.en
            assert one.fr != one.en
            assert (one.who is None) == (one.kind == "node")


# ---------------------------------------------------------------------- our own address


async def test_a_callback_where_nothing_listens_refuses_the_request(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    dataset = await nodes.publish(statements(12))
    plain = Wire._send

    async def closed(self: Wire, method: str, url: str, *rest: Any) -> Response:
        if urlsplit(url).netloc == urlsplit(nodes.consumer.url).netloc:
            raise Problem("delivery-unreachable", host="localhost", port=9201, reason="refused")
        return await plain(self, method, url, *rest)

    monkeypatch.setattr(Wire, "_send", closed)
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            await people.request(nodes.consumer, RESEARCHER, dataset, application())
        assert caught.value.code == "callback-nowhere"
    assert not await views.negotiations(nodes.consumer)
    monkeypatch.setattr(Wire, "_send", plain)
    nodes.clock.advance(reach.DOUBTED_FOR.total_seconds())
    assert (await people.request(nodes.consumer, RESEARCHER, dataset, application()))["pid"]


async def test_a_callback_where_another_answers_refuses_the_request(nodes: Pair):
    dataset = await nodes.publish(statements(12))
    apps = nodes.wire.apps
    apps[urlsplit(nodes.consumer.url).netloc] = apps[urlsplit(nodes.provider.url).netloc]
    with pytest.raises(Problem) as caught:
        await people.request(nodes.consumer, RESEARCHER, dataset, application())
    assert caught.value.code == "callback-other"


async def test_a_callback_that_cannot_be_judged_from_here_warns_and_goes_on(nodes: Pair):
    dataset = await nodes.publish(statements(12))
    nodes.wire.down.add(urlsplit(nodes.consumer.url).netloc)
    made = await people.request(nodes.consumer, RESEARCHER, dataset, application())
    assert [one["code"] for one in made["warnings"]] == ["callback-unknown"]
    nodes.wire.down.clear()
    await nodes.settle()
    seen = await nodes.seen(nodes.consumer, made["pid"])
    [warned, sent] = seen["messages"][0]["attempts"]
    assert (warned["n"], warned["problem"]) == (0, "callback-unknown")
    assert (sent["n"], sent["status"]) == (1, 201)
    assert seen["state"] == "FINALIZED"


async def test_the_callback_is_asked_seldom(nodes: Pair):
    dataset = await nodes.publish(statements(12))

    def asked() -> int:
        return sum(path.endswith("/.well-known/dspace-version") for _, path, _ in nodes.wire.seen)

    for _ in range(3):
        made = await people.request(nodes.consumer, RESEARCHER, dataset, application())
        assert made["warnings"] == []
    assert asked() == 1
    nodes.clock.advance(reach.FINE_FOR.total_seconds())
    await people.request(nodes.consumer, RESEARCHER, dataset, application())
    assert asked() == 2


# ---------------------------------------------------------------------- read by people


def test_a_long_timeline_reads_in_a_hundred_columns(monkeypatch: pytest.MonkeyPatch):
    attempts = [
        {
            "n": n,
            "at": f"2026-09-01T08:{n:02}:00.5Z",
            "status": 503,
            "problem": None,
            "answer": "x" * 500,
            "next_at": f"2026-09-01T08:{n + 1:02}:00Z",
            "fr": "réponse 503",
            "en": "answer 503",
        }
        for n in range(1, 40)
    ]
    found = {
        "waiting": Waiting(
            "attempt", "é " * 200, "e " * 200, who="did:web:" + "x" * 300
        ).document(),
        "messages": [
            {
                "direction": "out",
                "type": "ContractRequestMessage",
                "at": "2026-09-01T08:00:00Z",
                "delivery": "pending",
                "attempts": attempts,
            },
        ],
        "decisions": [
            {
                "at": "2026-09-01T08:00:00.1Z",
                "role": "dpo",
                "outcome": "return",
                "reasons": {"fr": ["trop " * 80], "en": ["too wide " * 80]},
            }
        ],
    }
    for lang in ("fr", "en"):
        monkeypatch.setattr(SESSION, "lang", lang)
        lines = [*timeline.waiting(found), *timeline.lines(found)]
        assert max(map(len, lines)) <= timeline.WIDTH
        assert len(lines) < 50
        text = "\n".join(lines)
        assert "2026-09-01 08:00:00  → ContractRequestMessage" in text
        assert "08:01:00" in text
        assert "08:39:00" in text
        assert "08:20:00  " not in text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "preau doctor --from did:web:a.example"),
        (404, "A few attempts follow"),
        (409, "A few attempts follow"),
        (429, "Nothing has to be done here"),
        (503, "Nothing has to be done here"),
    ],
)
def test_what_can_be_done_depends_on_the_answer(sent: OutboxRow, status: int, said: str):
    tried = [AttemptRow(1, 1, sent.created, status=status, next_at=sent.next_at)]
    now = for_transfer(cast("Any", None), [replace(sent, seq=1)], tried)
    assert now.kind == "attempt"
    assert now.do
    assert said in now.do[1]
    assert "{" not in "".join(now.do)


def test_an_answer_that_could_not_be_read_is_no_message_of_unknown_places(sent: OutboxRow):
    fr, en = came_to(sent, AttemptRow(1, 2, sent.created, problem="protocol-json-invalid"))
    assert en == "the answer could not be acted on: The message is not JSON"
    assert fr == "la réponse n'a pas pu être prise en compte : Le message n'est pas du JSON"


async def test_after_an_agreement_the_recipient_reads_how_to_fetch(nodes: Pair):
    pid = await nodes.request(await nodes.publish(statements(12)))
    now = await waiting(nodes, pid)
    assert (now["kind"], now["en"]) == ("nothing", "nothing: the agreement is made")
    assert "preau transfer fetch" in now["do"]["fr"]
    theirs = (await nodes.at_provider())["waiting"]
    assert (theirs["kind"], theirs["do"]) == ("nothing", None)


@pytest.mark.parametrize("code", sorted({*delivery.TEXTS, *store.TEXTS}))
def test_what_came_of_an_attempt_is_a_whole_sentence_in_both_languages(sent: OutboxRow, code: str):
    for said in came_to(sent, AttemptRow(1, 2, sent.created, problem=code)):
        assert said
        assert "{" not in said
