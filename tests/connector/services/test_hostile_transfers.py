"""A known peer, lawful in its words, and hostile or careless in what it does with them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import pytest

from connector.identity.ports import Response
from connector.protocol.messages import (
    DataAddress,
    TransferStart,
    TransferSuspension,
    TransferTermination,
    read_address,
)
from connector.protocol.messages.address import PART_SALT
from connector.services import identity
from connector.services.fetch import fetching, received, sinking
from connector.services.processes import transfer
from connector.services.publish import publishing
from connector.services.release import (
    granting,
    handing_over,
    pushing,
    releases,
    releasing,
    transferring,
)
from connector.services.show import views
from connector.store import leaves
from policies.problem import Problem
from tests.peers import control_plane
from tests.support import behind as making
from tests.support.behind import configure
from tests.support.pair import OPERATOR, RESEARCHER, Pair, statements

Json = dict[str, Any]
TASK: Final = {"basis": "public-task", "template": "public-task-research"}
PARTS: Final = 3


@pytest.fixture
async def agreed(nodes: Pair) -> Pair:
    """An agreement on thirty rows of thirty learners, in parts of ten."""
    configure(nodes.provider, "release", max_part_rows=10, first_part_rows=10)
    dataset = await nodes.publish(statements(30, 1), **TASK)
    await nodes.request(dataset)
    return nodes


async def started(nodes: Pair, *, push: bool = False) -> str:
    """A transfer that has begun; the consumer's pid."""
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson", push=push)
    await nodes.settle()
    return pid


async def address(nodes: Pair, pid: str) -> tuple[str, str]:
    """The provider's pid of a transfer, and the token that the consumer was given."""
    t = await nodes.consumer.store.read(lambda tx: transfer(tx, pid))
    return str(t.provider_pid), str(read_address(t.data_address or {}).authorization)


async def fetched(nodes: Pair, pid: str) -> Json:
    """Let the consumer fetch all; the transfer as it is then."""
    await fetching.start(nodes.consumer, RESEARCHER, pid, None)
    await nodes.consumer.background.idle()
    return await views.transfer(nodes.consumer, pid)


async def parts_logged(nodes: Pair) -> int:
    rows = await nodes.provider.store.read(lambda tx: leaves.between(tx, start=0, stop=10_000))
    return sum(row.type == "part" for row in rows)


# ------------------------------------------------------------------- a consumer, and the data


async def all_parts(nodes: Pair, pid: str, token: str) -> str:
    """Ask for every part; the acknowledgement of the last, the others being acknowledged."""
    said: str | None = None
    for number in range(1, PARTS + 1):
        part = await releasing.part(nodes.provider, pid, token, number, acknowledged=said)
        said = part.info.acknowledgement
    assert part.last
    return str(said)


async def test_there_is_nothing_after_the_last_part(agreed: Pair):
    pid, token = await address(agreed, await started(agreed))
    said = await all_parts(agreed, pid, token)
    for number in (PARTS + 1, PARTS + 1):
        with pytest.raises(Problem, match="release-part-last"):
            await releasing.part(agreed.provider, pid, token, number)
    again = await releasing.part(agreed.provider, pid, token, PARTS)
    assert (again.last, again.info.issue, await parts_logged(agreed)) == (True, 1, PARTS)
    manifest = await handing_over.manifest(agreed.provider, pid, token, acknowledged=said)
    assert [one["rows"] for one in manifest["parts"]] == [10, 10, 10]


async def test_a_signed_manifest_stays_true(agreed: Pair):
    """It names every part that left: none leaves after it, though the transfer goes on."""
    pid, token = await address(agreed, await started(agreed))
    said = await all_parts(agreed, pid, token)
    await handing_over.manifest(agreed.provider, pid, token, acknowledged=said)
    await agreed.consent(["learner-1"], "objected")
    with pytest.raises(Problem, match="release-ended"):
        await releasing.part(agreed.provider, pid, token, 1)
    assert await parts_logged(agreed) == PARTS


async def test_another_legal_basis_counts_from_the_next_part(agreed: Pair):
    """A consumer that resumes what was held is not served until the monitor has looked again."""
    pid, token = await address(agreed, await started(agreed))
    await releasing.part(agreed.provider, pid, token, 1)
    await agreed.publish(statements(30, 1))
    with pytest.raises(Problem, match="release-basis"):
        await releasing.part(agreed.provider, pid, token, 2)
    assert await parts_logged(agreed) == 1


# ------------------------------------------------------------------------------------- pushes


async def post(nodes: Pair, path: str, wire: Json) -> int:
    """What the provider answers to a message of the consumer that its node did not send."""
    nodes.clock.advance(1)
    headers = {
        "Authorization": identity.authorization(nodes.consumer, nodes.provider.did),
        "Content-Type": "application/json",
    }
    answer = await nodes.wire.post(
        f"{nodes.provider.dsp}{path}", orjson.dumps(wire), headers=headers
    )
    return answer.status


async def test_a_push_goes_on_to_the_new_sink_only(agreed: Pair, monkeypatch: pytest.MonkeyPatch):
    """The consumer pauses while a piece is under way, and goes on with another address."""
    inside, go = asyncio.Event(), asyncio.Event()
    took: dict[str, int] = {}

    async def upload(
        _: object, url: str, body: AsyncIterator[bytes], **_options: object
    ) -> Response:
        place, first = urlsplit(url).path, not took
        took[place] = len(await anext(body))
        if first:
            inside.set()
            await go.wait()
        async for piece in body:
            took[place] += len(piece)
        return Response(200)

    monkeypatch.setattr(type(agreed.wire), "upload", upload)
    pid = await started(agreed, push=True)
    await inside.wait()
    (theirs,) = (t["pid"] for t in await views.transfers(agreed.provider))
    pids: Any = {"provider_pid": theirs, "consumer_pid": pid}
    pause = TransferSuspension(id="urn:uuid:1", **pids).wire()
    assert await post(agreed, f"/transfers/{theirs}/suspension", pause) == 200
    new = DataAddress.push(f"{agreed.consumer.url}/elsewhere")
    resume = TransferStart(id="urn:uuid:2", address=new, **pids).wire()
    assert await post(agreed, f"/transfers/{theirs}/start", resume) == 200
    go.set()
    await agreed.provider.background.idle()
    assert (await views.transfer(agreed.provider, theirs))["state"] == "COMPLETED"
    (old,) = (size for place, size in took.items() if place != "/elsewhere")
    assert 0 < old < took["/elsewhere"]


async def test_our_sink_takes_nothing_while_it_is_paused_here(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pushing, "soon", _never)
    pid = await started(agreed, push=True)
    folder = received.folder_of(agreed.consumer, pid)
    theirs = (await views.transfers(agreed.provider))[0]["pid"]
    t = await agreed.provider.store.read(lambda tx: transfer(tx, theirs))
    sink = read_address(t.sink or {})

    async def arriving() -> AsyncIterator[bytes]:
        yield b"a\n"
        await transferring.suspend(agreed.consumer, RESEARCHER, pid, "A pause.")
        yield b"b\n"

    for _ in range(2):  # in the middle, then from the start
        with pytest.raises(Problem, match="transfer-suspended"):
            await sinking.take(agreed.consumer, pid, str(sink.authorization), "", arriving())
        assert received.finished(folder) == []


async def _never(_: object) -> None:
    """The provider pushes nothing by itself."""


# ------------------------------------------------------------------ another's control plane


async def test_a_consumer_has_no_say_in_a_flow_of_our_control_plane(nodes: Pair):
    """It knows the flow's id from the data address, and is a participant we know."""
    behind = await making.behind(nodes)
    lab, flow = nodes.consumer.did, making.FLOW
    assert (await behind.start_18(counterPartyId=lab)).status_code == 200
    suspend = control_plane.plain_18("A pause.")
    assert (await behind.signal(f"/{flow}/suspend", suspend)).status_code == 200
    pids: Any = {"provider_pid": flow, "consumer_pid": flow}
    resume = TransferStart(id="urn:uuid:1", **pids).wire()
    assert await post(nodes, f"/transfers/{flow}/start", resume) == 404
    end = TransferTermination(id="urn:uuid:2", **pids).wire()
    assert await post(nodes, f"/transfers/{flow}/termination", end) == 404
    assert (await behind.seen())["state"] == "SUSPENDED"


# ---------------------------------------------------------------------- a provider's addresses


def gives(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> None:
    """Let the provider give an address with this URL, token or salt (None: without)."""

    def pull(cls: type[DataAddress], endpoint: str, token: str, part_salt: str) -> DataAddress:
        named = {"authorization": token, PART_SALT: part_salt, **changes}
        url = named.pop("endpoint", endpoint)
        pairs = tuple((name, value) for name, value in named.items() if value is not None)
        return cls(endpoint_type="x", endpoint=url, properties=pairs)

    monkeypatch.setattr(DataAddress, "pull", classmethod(pull))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({PART_SALT: "no hex"}, "transfer-address"),
        ({PART_SALT: "abc"}, "transfer-address"),
        ({PART_SALT: None}, "transfer-address"),
        ({"authorization": "é☃"}, "transfer-address"),
        ({"authorization": None}, "transfer-address"),
        ({"endpoint": None}, "transfer-address"),
        ({"endpoint": "http://10.0.0.1/data"}, "identity-address-foreign"),
        ({"endpoint": "file:///etc/passwd"}, "identity-url-invalid"),
    ],
)
async def test_an_address_of_no_use_is_seen_before_somebody_fetches(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], code: str
):
    with monkeypatch.context() as lying:
        gives(lying, **changes)
        pid = await started(agreed)
    seen = await views.transfer(agreed.consumer, pid)
    assert (seen["state"], seen["code"], len(seen["reasons"])) == ("STARTED", code, 2)
    assert (seen["waiting"]["kind"], seen["waiting"]["who"]) == ("peer", agreed.provider.did)
    assert (await fetched(agreed, pid))["fetch"]["problem"]["code"] == code
    # The provider gives a better one with its next start.
    theirs = (await views.transfers(agreed.provider))[0]["pid"]
    await transferring.suspend(agreed.provider, OPERATOR, theirs, "A moment.")
    await agreed.settle()
    await transferring.resume(agreed.provider, OPERATOR, theirs)
    await agreed.settle()
    seen = await views.transfer(agreed.consumer, pid)
    assert (seen["code"], seen["waiting"]["kind"]) == (None, "person")
    assert (await fetched(agreed, pid))["state"] == "COMPLETED"


# -------------------------------------------------------------------------- a provider's parts


def answers(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, change: Callable[[Response], Any]
) -> None:
    """Let the provider answer so when it is asked for part 2."""
    plain = type(nodes.wire).get

    async def get(self: Any, url: str, **options: Any) -> Any:
        found = await plain(self, url, **options)
        if not url.endswith("/parts/2"):
            return found
        made = change(found)
        return await made if asyncio.iscoroutine(made) else made

    monkeypatch.setattr(type(nodes.wire), "get", get)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("preau-rows", str(2**53)),
        ("preau-issue", str(2**53)),
        ("preau-leaf", str(2**53)),
        ("preau-digest", "hmac-sha-256:é"),
        ("preau-digest", "hmac-sha-256:"),
    ],
)
async def test_a_header_that_no_log_could_hold_is_named(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    pid = await started(agreed)
    with monkeypatch.context() as lying:
        answers(agreed, lying, lambda found: replace(found, headers={**found.headers, name: value}))
        found = await fetched(agreed, pid)
    assert found["fetch"]["problem"]["code"] == "dataplane-part-header"
    assert (await fetched(agreed, pid))["state"] == "COMPLETED"


async def test_a_refusal_writes_nothing_else_on_a_terminal(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    said = orjson.dumps({"fr": "\x1b]0;owned\x07non", "en": "\x1b[31mno\r\n\u202e"})
    answers(agreed, monkeypatch, lambda _: Response(403, {}, said))
    found = await fetched(agreed, await started(agreed))
    told = found["fetch"]["problem"]
    assert "non" in told["en"]
    assert told["en"].isprintable()


async def test_a_part_that_arrives_after_somebody_here_paused_does_not_count(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    pid = await started(agreed)

    async def paused(found: Response) -> Response:
        await transferring.suspend(agreed.consumer, RESEARCHER, pid, "A pause.")
        return found

    with monkeypatch.context() as late:
        answers(agreed, late, paused)
        found = await fetched(agreed, pid)
    told = found["fetch"]["problem"]
    assert (found["state"], found["parts"], told["code"]) == ("SUSPENDED", 1, "transfer-suspended")
    assert "A pause." in told["en"]
    await agreed.settle()
    await transferring.resume(agreed.consumer, RESEARCHER, pid)
    # The new address is still to come: the fetch waits for it.
    await fetching.start(agreed.consumer, RESEARCHER, pid, None)
    await agreed.settle()
    await agreed.consumer.background.idle()
    assert (await views.transfer(agreed.consumer, pid))["state"] == "COMPLETED"


async def test_who_waits_for_a_start_waits_by_the_injected_clock(agreed: Pair):
    agreed.wire.down.add(urlsplit(agreed.provider.url).netloc)
    pid = await started(agreed)
    await fetching.start(agreed.consumer, RESEARCHER, pid, None)
    await asyncio.sleep(0)
    agreed.clock.advance(121)
    agreed.wire.down.clear()
    await agreed.consumer.store.write(lambda tx: tx.announce("transfer"))
    await agreed.consumer.background.idle()
    told = agreed.consumer.fetches.view(pid)["problem"]
    assert told["code"] == "transfer-not-started"


# ------------------------------------------------------- what changes before or during a transfer


async def test_a_request_after_the_agreements_time_is_answered_and_ended(agreed: Pair):
    agreed.clock.advance(3 * 365 * 86_400)
    pid = await started(agreed)
    seen = await views.transfer(agreed.consumer, pid)
    assert (seen["state"], seen["code"]) == ("TERMINATED", "transfer-denied")
    assert any("31 December 2027" in reason for reason in seen["reasons"])
    theirs = (await views.transfers(agreed.provider))[0]["pid"]
    assert (await views.transfer(agreed.provider, theirs))["decisions"][0]["outcome"] == "deny"


async def test_after_a_withdrawal_nobody_is_served_anew(agreed: Pair):
    await publishing.withdraw(agreed.provider, OPERATOR, "traces", "Over.")
    seen = await views.transfer(agreed.consumer, await started(agreed))
    assert (seen["state"], seen["code"]) == ("TERMINATED", "release-withdrawn")


async def test_a_field_that_is_gone_ends_the_next_transfer_and_not_the_running_one(nodes: Pair):
    rows = [{**row, "result": {"success": True}} for row in statements(30, 1)]
    dataset = await nodes.publish(rows, **TASK)
    await nodes.request(dataset, fields=["actor", "result.success", "timestamp"])
    running = await started(nodes)
    await nodes.publish(statements(30, 1), **TASK)
    # Its revision is the one that it began with (X8).
    assert (await fetched(nodes, running))["state"] == "COMPLETED"
    await nodes.settle()
    seen = await views.transfer(nodes.consumer, await started(nodes))
    assert (seen["state"], seen["code"]) == ("TERMINATED", "release-drift")
    assert "result.success" in " ".join(seen["reasons"])


async def test_a_push_that_was_ended_while_its_last_piece_was_taken_stays_ended(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    async def upload(_: object, _url: str, body: AsyncIterator[bytes], **_options: object) -> Any:
        async for _piece in body:
            pass
        theirs = (await views.transfers(agreed.provider))[0]["pid"]
        await transferring.terminate(agreed.provider, OPERATOR, theirs, "Enough.")
        return Response(200)

    monkeypatch.setattr(type(agreed.wire), "upload", upload)
    await started(agreed, push=True)
    await agreed.provider.background.idle()
    (there,) = await views.transfers(agreed.provider)
    assert (there["state"], there["code"]) == ("TERMINATED", "terminated-by-person")


async def test_a_plan_that_rests_on_nobodys_word_lets_everybody_leave(agreed: Pair):
    """Data about nobody: no consent is asked for, and none is counted."""
    pid, _ = await address(agreed, await started(agreed))
    release = await agreed.provider.store.read(lambda tx: releases.load(tx, pid))
    await agreed.consent(["learner-1"], "objected")
    _, some = await releases.consent_now(agreed.provider, release)
    rows = replace(release.plan.rows, consent=None)
    free = replace(release, plan=replace(release.plan, rows=rows))
    _, every = await releases.consent_now(agreed.provider, free)
    assert (sum(some.bits), sum(every.bits)) == (29, 30)


async def test_an_answer_that_says_it_is_over_is_believed(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    plain = type(agreed.wire).post

    async def post(self: Any, url: str, body: bytes, **options: Any) -> Response:
        found = await plain(self, url, body, **options)
        said = found.body.replace(b"REQUESTED", b"TERMINATED")
        return replace(found, body=said) if url.endswith("/transfers/request") else found

    monkeypatch.setattr(type(agreed.wire), "post", post)
    monkeypatch.setattr(granting, "prepare_soon", lambda _: None)  # nothing follows
    seen = await views.transfer(agreed.consumer, await started(agreed))
    assert (seen["state"], seen["code"]) == ("TERMINATED", "transfer-ended")
    assert seen["waiting"]["kind"] == "nothing"
