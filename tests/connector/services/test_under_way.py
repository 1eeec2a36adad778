"""What changes while a part is being made: the part that leaves is one of after the change.

The change comes between the look at who may leave and the commit, as a withdrawal of another
thread does; nothing of what was made before it is issued.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connector.identity.ports import Response
from connector.protocol.messages import TransferRequest, read_address
from connector.services import identity
from connector.services.consent import consents as consenting
from connector.services.fetch import received
from connector.services.processes import transfer
from connector.services.release import releases, releasing, transferring
from connector.services.show import views
from connector.store import agreements as agreement_rows
from connector.store import consents, outbox
from connector.store import parts as rows
from connector.store.rows import PartRow
from policies.problem import Problem
from tests.connector.services import test_budgets
from tests.support import traces
from tests.support.behind import configure
from tests.support.pair import DPO, OPERATOR, RESEARCHER, Pair, statements

LEARNERS, EACH = 15, 4
Json = dict[str, Any]
Change = Callable[[], Awaitable[object]]


@pytest.fixture
async def agreement(nodes: Pair) -> str:
    """An agreement on the traces of fifteen learners, all of whom consent; parts of 20 rows."""
    configure(nodes.provider, "release", max_part_rows=20, first_part_rows=20)
    dataset = await nodes.publish(statements(LEARNERS, EACH))
    names = [f"learner-{number}" for number in range(LEARNERS)]
    said = traces.consent_file(names, nodes.consumer.did)
    await consenting.load(nodes.provider, DPO, said.encode())
    await nodes.request(dataset)
    return str((await views.agreements(nodes.consumer))[0]["id"])


@pytest.fixture
async def opening(nodes: Pair, agreement: str) -> tuple[str, str]:
    """A transfer that runs: its pid at the provider, and the token that opens its data."""
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    t = await nodes.consumer.store.read(lambda tx: transfer(tx, pid))
    assert t.data_address is not None
    return str(t.provider_pid), str(read_address(t.data_address).authorization)


def meanwhile(patch: pytest.MonkeyPatch, change: Change, times: int = 1) -> list[int]:
    """Let something happen after each of the first looks at who may leave; the looks, counted."""
    plain, looks = releases.consent_now, list[int]()

    async def look(*arguments: Any) -> Any:
        found = await plain(*arguments)
        looks.append(len(looks) + 1)
        if len(looks) <= times:
            await change()
        return found

    patch.setattr(releasing, "consent_now", look)
    return looks


async def issued(nodes: Pair, pid: str) -> list[PartRow]:
    return await nodes.provider.store.read(lambda tx: rows.listing(tx, transfer=pid))


async def test_who_withdraws_while_a_part_is_made_is_not_in_it(
    nodes: Pair, opening: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    pid, token = opening
    gone = [f"learner-{number}" for number in range(5)]
    looks = meanwhile(monkeypatch, lambda: nodes.consent(gone, "withdrawn"))
    found = await releasing.part(nodes.provider, pid, token, 1)
    assert looks == [1, 2]
    (row,) = await issued(nodes, pid)
    assert (found.info.rows, row.rows, row.issue) == (20, 20, 1)
    assert (row.stop or 0) - (row.start or 0) == 20 + (row.withheld or 0)
    stream = found.body
    while not found.last:
        found = await releasing.part(nodes.provider, pid, token, found.info.n + 1)
        stream += found.body
    lines = [json.loads(line) for line in stream.splitlines()]
    assert (len(lines), len({line["actor"]["account"]["name"] for line in lines})) == (40, 10)
    assert row.epoch == (await nodes.provider.store.read(consents.epoch))


async def test_consent_that_never_rests_is_told_and_nothing_leaves(
    nodes: Pair, opening: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    async def change() -> None:
        nodes.clock.advance(1)
        await nodes.consent(["learner-0"], ("withdrawn", "given")[len(looks) % 2])

    looks = meanwhile(monkeypatch, change, times=99)
    with pytest.raises(Problem, match="release-busy") as caught:
        await releasing.part(nodes.provider, *opening, 1)
    assert (caught.value.kind, await issued(nodes, opening[0])) == ("unavailable", [])
    monkeypatch.undo()
    assert (await releasing.part(nodes.provider, *opening, 1)).info.issue == 1


@pytest.mark.parametrize(
    ("code", "what"), [("release-suspended", "pause"), ("release-ended", "agreement")]
)
async def test_what_is_stopped_while_a_part_is_made_issues_none(
    nodes: Pair,
    agreement: str,
    opening: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    what: str,
):
    node, pid = nodes.provider, opening[0]

    async def change() -> None:
        if what == "pause":
            await transferring.suspend(node, DPO, pid, "A question.")
        else:
            await node.store.write(
                lambda tx: agreement_rows.set_state(tx, id=agreement, state="ended")
            )

    meanwhile(monkeypatch, change)
    with pytest.raises(Problem, match=code):
        await releasing.part(node, *opening, 1)
    assert await issued(nodes, pid) == []


async def test_an_agreement_that_runs_out_while_a_part_is_made_issues_none(
    nodes: Pair, opening: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    async def change() -> None:
        nodes.clock.advance(3 * 365 * 86_400)

    meanwhile(monkeypatch, change)
    with pytest.raises(Problem, match="release-ended"):
        await releasing.part(nodes.provider, *opening, 1)
    assert await issued(nodes, opening[0]) == []


# ------------------------------------------------------------------------------ side by side


async def ask(nodes: Pair, agreement: str, pid: str, **changes: object) -> Response:
    """The consumer's request for a transfer, put by hand."""
    request = TransferRequest(
        consumer_pid=pid, agreement=agreement, format="HttpData-PULL", callback=nodes.consumer.dsp
    )
    return await nodes.wire.post(
        f"{nodes.provider.dsp}/transfers/request",
        json.dumps({**request.wire(), **changes}).encode(),
        headers={
            "Authorization": identity.authorization(nodes.consumer, nodes.provider.did),
            "Content-Type": "application/json",
        },
    )


async def another(nodes: Pair, agreement: str, pid: str = "urn:uuid:second") -> tuple[str, str]:
    """A further transfer that the provider has started, as `opening`."""
    answer = await ask(nodes, agreement, pid)
    assert answer.status == 201
    made = str(json.loads(answer.body)["providerPid"])
    await nodes.provider.background.ended("prepare")
    said = (await nodes.provider.store.read(lambda tx: outbox.of(tx, process=made)))[-1]
    assert said.type == "TransferStartMessage"
    return made, str(read_address(json.loads(said.body)["dataAddress"]).authorization)


async def test_a_budget_is_not_spent_twice_by_parts_that_are_made_at_once(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    configure(nodes.provider, "release", max_part_rows=20, first_part_rows=20)
    dataset = await test_budgets.publish(nodes, "capped-exports", "count = 3\nrows = 30\n")
    await nodes.consent([f"learner-{n}" for n in range(LEARNERS)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    first, second = [await another(nodes, agreement, f"urn:uuid:{n}") for n in (1, 2)]
    made = []

    async def change() -> None:
        made.append(await releasing.part(nodes.provider, *second, 1))

    meanwhile(monkeypatch, change)
    made.append(await releasing.part(nodes.provider, *first, 1))
    assert [part.info.rows for part in made] == [20, 10]
    assert sum(len(part.body.splitlines()) for part in made) == 30


# ----------------------------------------------------------------------------------- requests


async def test_data_are_not_asked_for_under_what_has_ended(nodes: Pair, agreement: str):
    await nodes.provider.store.write(
        lambda tx: agreement_rows.set_state(tx, id=agreement, state="ended")
    )
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    found = await views.transfer(nodes.consumer, pid)
    assert (found["state"], found["code"]) == ("TERMINATED", "agreement-inactive")
    assert await views.transfers(nodes.provider) == []


async def test_what_cannot_be_served_is_refused_at_once(nodes: Pair, agreement: str):
    cases = [
        ({"format": "AmazonS3-PULL"}, "transfer-format"),
        ({"format": "HttpData-PUSH"}, "transfer-sink"),
        ({"agreementId": "urn:uuid:another"}, "protocol-not-found"),
    ]
    for changes, code in cases:
        answer = await ask(nodes, agreement, "urn:uuid:1", **changes)
        said = json.loads(answer.body)
        assert (400 <= answer.status < 500, said["@type"]) == (True, "TransferError")
        assert (said["code"], said["consumerPid"], len(said["reason"])) == (code, "urn:uuid:1", 2)
    assert await views.transfers(nodes.provider) == []


async def test_a_request_said_again_is_one_transfer_and_another_under_its_pid_none(
    nodes: Pair, agreement: str
):
    first, again = [
        await ask(nodes, agreement, "urn:uuid:1", **{"@id": f"urn:uuid:{n}"}) for n in (7, 8)
    ]
    assert (first.status, again.status) == (201, 201)
    assert json.loads(again.body) == json.loads(first.body)
    other = await ask(nodes, agreement, "urn:uuid:1", format="HttpData-PUSH")
    assert (other.status, json.loads(other.body)["code"]) == (400, "protocol-message-conflict")
    assert len(await views.transfers(nodes.provider)) == 1


# ------------------------------------------------------------------------------ plain streams


async def pushed(nodes: Pair, agreement: str) -> Json:
    """A push, with all that it sets going; the transfer as the consumer sees it."""
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson", push=True)
    for _ in range(2):
        await nodes.settle()
        await nodes.provider.background.idle()
    await nodes.settle()
    return await views.transfer(nodes.consumer, pid)


def between(patch: pytest.MonkeyPatch, number: int, change: Change) -> None:
    """Let something happen before part `number` of a stream."""
    plain = releasing.part

    async def part(node: Any, pid: str, token: str, n: int, **more: Any) -> releasing.Part:
        if n == number:
            await change()
        return await plain(node, pid, token, n, **more)

    patch.setattr(releasing, "part", part)


async def test_a_stream_is_released_part_by_part(
    nodes: Pair, agreement: str, monkeypatch: pytest.MonkeyPatch
):
    gone = [f"learner-{number}" for number in range(LEARNERS)]
    between(monkeypatch, 3, lambda: nodes.consent(gone, "withdrawn"))
    found = await pushed(nodes, agreement)
    assert found["state"] == "COMPLETED"
    content = (received.folder_of(nodes.consumer, found["pid"]) / "data.ndjson").read_bytes()
    # Two whole parts of twenty rows; before the last one everybody has withdrawn.
    assert len(content.splitlines()) == 40
    (theirs,) = await views.transfers(nodes.provider)
    assert [row.rows for row in await issued(nodes, theirs["pid"])] == [20, 20, 0]


async def test_a_stream_that_is_stopped_breaks_and_nothing_of_it_is_kept(
    nodes: Pair, agreement: str, monkeypatch: pytest.MonkeyPatch
):
    async def pause() -> None:
        (theirs,) = await views.transfers(nodes.provider)
        await transferring.suspend(nodes.provider, OPERATOR, theirs["pid"], "A question.")

    with monkeypatch.context() as once:
        between(once, 2, pause)
        found = await pushed(nodes, agreement)
    assert (found["state"], found["code"]) == ("SUSPENDED", "suspended-by-person")
    folder = received.folder_of(nodes.consumer, found["pid"])
    assert received.finished(folder) == []
    assert list(folder.glob("*")) == []
    (theirs,) = await views.transfers(nodes.provider)
    assert theirs["state"] == "SUSPENDED"
    await transferring.resume(nodes.provider, OPERATOR, theirs["pid"])
    for _ in range(2):
        await nodes.settle()
        await nodes.provider.background.idle()
    await nodes.settle()
    assert (await views.transfer(nodes.consumer, found["pid"]))["state"] == "COMPLETED"
    assert len((folder / "data.ndjson").read_bytes().splitlines()) == LEARNERS * EACH
