"""What a crash interrupted is taken up again, not begun anew (the kills of `tests/real`, in small).

A store that refuses one commit stands for the crash: what was done before it lies on the disk.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from connector.evidence.verify import verify
from connector.services.fetch import fetching
from connector.services.fetch.received import folder_of
from connector.services.publish import publishing
from connector.services.release import transferring
from connector.services.show import auditing, views
from connector.store import agreements, messages, parts
from policies.problem import Problem
from tests.support.pair import AUDITOR, DPO, RESEARCHER, Pair, statements

LEARNERS, EACH = 20, 6


@pytest.fixture
async def asked(nodes: Pair) -> str:
    """A transfer that may be fetched, in parts of 40 rows; its pid at the consumer."""
    settings = nodes.provider.settings
    release = settings.release.model_copy(update={"max_part_rows": 40, "first_part_rows": 40})
    object.__setattr__(nodes.provider, "settings", settings.model_copy(update={"release": release}))
    dataset = await nodes.publish(statements(LEARNERS, EACH))
    await nodes.consent([f"learner-{number}" for number in range(LEARNERS)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    return pid


async def fetch(nodes: Pair, pid: str) -> dict[str, Any]:
    await fetching.start(nodes.consumer, RESEARCHER, pid, None)
    await nodes.consumer.background.idle()
    await nodes.settle()
    return await views.transfer(nodes.consumer, pid)


def refuse_once(patch: pytest.MonkeyPatch, module: Any, name: str, when: Any) -> None:
    """Let the function fail at its first call that `when` is true of."""
    original = getattr(module, name)
    failed: list[Any] = []

    def failing(tx: Any, row: Any, *rest: Any, **named: Any) -> Any:
        if not failed and when(row):
            failed.append(row)
            raise Problem("store-disk-full")
        return original(tx, row, *rest, **named)

    patch.setattr(module, name, failing)


async def whole(nodes: Pair, pid: str, folder: Path) -> None:
    """Everything arrived once, and both bundles verify with it."""
    received = folder_of(nodes.consumer, pid)
    rows = [json.loads(line) for line in (received / "data.ndjson").read_bytes().splitlines()]
    assert len(rows) == LEARNERS * EACH
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    for node in (nodes.provider, nodes.consumer):
        path = folder / f"{node.folder.name}.zip"
        path.write_bytes(await auditing.bundle(node, AUDITOR, agreement))
        report = verify(path, files=received)
        assert report.ok, report.document()


@pytest.mark.parametrize("number", [2, 3], ids=["in the middle", "the last"])
async def test_a_part_written_and_not_logged_is_asked_for_again(
    nodes: Pair, asked: str, number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    refuse_once(monkeypatch, parts, "add", lambda row: row.transfer == asked and row.n == number)
    assert (await fetch(nodes, asked))["fetch"]["problem"]["code"] == "store-disk-full"
    found = await fetch(nodes, asked)
    assert (found["state"], found["parts"], found["fetch"]["problem"]) == ("COMPLETED", 3, None)
    await whole(nodes, asked, tmp_path)


@pytest.mark.parametrize("lost", ["receipt", "completion"])
async def test_a_receipt_that_is_still_owed_is_sent(
    nodes: Pair, asked: str, lost: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    if lost == "receipt":
        post = nodes.consumer.fetch.post

        async def unreachable(url: str, *arguments: Any, **named: Any) -> Any:
            if url.endswith("/receipt"):
                monkeypatch.undo()
                raise Problem("delivery-unreachable", host="localhost")
            return await post(url, *arguments, **named)

        monkeypatch.setattr(type(nodes.wire), "post", lambda _, *a, **k: unreachable(*a, **k))
    else:
        refuse_once(
            monkeypatch, messages, "add", lambda row: row.type == "TransferCompletionMessage"
        )
    first = await fetch(nodes, asked)
    assert (first["state"], first["receipt"]) == ("STARTED", None)
    assert first["fetch"]["problem"]
    found = await fetch(nodes, asked)
    assert (found["state"], found["fetch"]["problem"]) == ("COMPLETED", None)
    assert found["receipt"] == (await views.transfers(nodes.provider))[0]["receipt"]
    await whole(nodes, asked, tmp_path)


async def test_revisions_that_no_dataset_names_are_deleted_at_a_start(nodes: Pair):
    await nodes.publish(statements(3))
    (kept,) = (nodes.provider.folder / "data").glob("*/*")
    left = [kept.with_name("half"), kept.parent.with_name("other") / "half"]
    for path in left:
        path.mkdir(parents=True)
        (path / "rows").write_bytes(b"{}")
    assert await publishing.sweep(nodes.provider) == 2
    assert list((nodes.provider.folder / "data").glob("*/*")) == [kept]
    assert await publishing.sweep(nodes.provider) == 0


async def unanswered(nodes: Pair, pid: str, patch: pytest.MonkeyPatch) -> None:
    """Fetch everything; the receipt does not reach the provider."""
    post = type(nodes.wire).post

    async def unreachable(wire: Any, url: str, *arguments: Any, **named: Any) -> Any:
        if url.endswith("/receipt"):
            raise Problem("delivery-unreachable", host="localhost")
        return await post(wire, url, *arguments, **named)

    with patch.context() as once:
        once.setattr(type(nodes.wire), "post", unreachable)
        found = await fetch(nodes, pid)
    assert (found["state"], found["receipt"]) == ("STARTED", None)


@pytest.mark.parametrize("ended", ["transfer", "agreement"])
async def test_a_receipt_is_owed_and_taken_after_the_end(
    nodes: Pair, asked: str, ended: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    await unanswered(nodes, asked, monkeypatch)
    theirs = (await views.transfers(nodes.provider))[0]["pid"]
    await transferring.terminate(nodes.provider, DPO, theirs, "Enough.")
    await nodes.settle()
    if ended == "agreement":
        agreement = (await views.agreements(nodes.provider))[0]["id"]
        await nodes.provider.store.write(
            lambda tx: agreements.set_state(tx, id=agreement, state="ended")
        )
    found = await fetch(nodes, asked)
    assert (found["state"], found["fetch"]["problem"]) == ("TERMINATED", None)
    assert found["receipt"]
    assert found["receipt"] == (await views.transfers(nodes.provider))[0]["receipt"]
    await whole(nodes, asked, tmp_path)
    # Nothing is owed any more: the token is forgotten.
    session = await nodes.consumer.store.read(lambda tx: parts.session(tx, transfer=asked))
    assert session is not None
    assert set(session.body) == {"salt", "format"}


async def test_what_is_here_already_is_found_again(nodes: Pair, asked: str):
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    assert await fetching.complete(nodes.consumer, agreement, "ndjson") is None
    await fetch(nodes, asked)
    assert await fetching.complete(nodes.consumer, agreement, "ndjson") == asked
    assert await fetching.complete(nodes.consumer, agreement, "csv") is None
    with pytest.raises(Problem, match="agreement-unknown"):
        await fetching.complete(nodes.consumer, "urn:uuid:none", "ndjson")
    assert await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson") != asked
