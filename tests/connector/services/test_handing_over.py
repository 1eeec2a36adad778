"""The end of a transfer: a manifest that is signed and says something else, and receipts likewise.

The other party is who it says it is, and lies. Nothing gets its name, and nothing counts.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from connector.evidence import bodies
from connector.identity.ports import Response
from connector.protocol.messages import read_address
from connector.services.consent import consents
from connector.services.fetch import fetching, received
from connector.services.negotiate import agreements
from connector.services.processes import transfer
from connector.services.release import handing_over, releasing, transferring
from connector.services.show import views
from connector.store import leaves
from connector.store import parts as rows
from policies.jcs import digest
from policies.problem import Problem
from tests.support import traces
from tests.support.pair import DPO, RESEARCHER, Pair, Wire, statements

Json = dict[str, Any]
OTHER = "urn:uuid:00000000-0000-4000-8000-000000000000"
NOTHING = "sha-256:" + 64 * "0"


@pytest.fixture
async def asked(nodes: Pair) -> str:
    """A transfer that may be fetched, in parts of 20 rows; its pid at the consumer."""
    settings = nodes.provider.settings
    release = settings.release.model_copy(update={"max_part_rows": 20, "first_part_rows": 20})
    object.__setattr__(nodes.provider, "settings", settings.model_copy(update={"release": release}))
    dataset = await nodes.publish(statements(12, 3))
    names = [f"learner-{number}" for number in range(12)]
    await consents.load(
        nodes.provider, DPO, traces.consent_file(names, nodes.consumer.did).encode()
    )
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    return pid


async def fetch(nodes: Pair, pid: str) -> Json:
    await fetching.start(nodes.consumer, RESEARCHER, pid, None)
    await nodes.consumer.background.idle()
    await nodes.settle()
    return await views.transfer(nodes.consumer, pid)


async def opening(nodes: Pair, pid: str) -> tuple[str, str]:
    """The provider's pid of a transfer, and the token that opens its data."""
    t = await nodes.consumer.store.read(lambda tx: transfer(tx, pid))
    assert t.data_address is not None
    return str(t.provider_pid), str(read_address(t.data_address).authorization)


def saying(
    nodes: Pair, patch: pytest.MonkeyPatch, change: Callable[[Json], object], *, sign: bool = True
) -> None:
    """Let the provider hand out another manifest, which it signs as it then stands."""
    plain = Wire.get

    async def get(self: Wire, url: str, **options: Any) -> Response:
        answer = await plain(self, url, **options)
        if not url.endswith("/manifest"):
            return answer
        said = json.loads(answer.body)
        change(said)
        if sign:
            said = bodies.unsigned(said)
            said["proof"] = agreements.sign(nodes.provider, said)
        return Response(answer.status, answer.headers, json.dumps(said).encode())

    patch.setattr(Wire, "get", get)


def into(**members: object) -> Callable[[Json], object]:
    return lambda said: said.update(members)


LIES: dict[str, tuple[Callable[[Json], object], str]] = {
    "another transfer": (into(transfer=OTHER), "transfer-manifest"),
    "another agreement": (into(agreement=OTHER), "transfer-manifest"),
    "another plan": (into(plan=NOTHING), "transfer-manifest"),
    "another form": (into(format="csv"), "transfer-manifest"),
    "no plan": (lambda said: said.pop("plan"), "transfer-manifest"),
    "no codebook": (lambda said: said.pop("codebook"), "dataplane-manifest-mismatch"),
    "a codebook of another kind": (into(codebook={"a": 1}), "dataplane-manifest-mismatch"),
    "a part less": (lambda said: said["parts"].pop(), "dataplane-manifest-mismatch"),
    "other rows": (lambda said: said["parts"][0].update(rows=7), "dataplane-manifest-mismatch"),
    "no state": (into(state="perhaps"), "dataplane-manifest-mismatch"),
    "cut for no reason": (into(state="cut"), "dataplane-manifest-mismatch"),
}


async def test_no_file_gets_its_name_under_a_manifest_that_does_not_fit(
    nodes: Pair, asked: str, monkeypatch: pytest.MonkeyPatch
):
    folder = received.folder_of(nodes.consumer, asked)
    for lie, (change, code) in LIES.items():
        with monkeypatch.context() as once:
            saying(nodes, once, change)
            found = await fetch(nodes, asked)
        assert found["fetch"]["problem"], lie
        assert found["fetch"]["problem"]["code"] == code, lie
        assert (found["state"], found["receipt"]) == ("STARTED", None), lie
        assert received.finished(folder) == [], lie
        assert (await views.transfers(nodes.provider))[0]["receipt"] is None, lie
    # It says now what it has to say, and the parts need not come again.
    nodes.wire.seen.clear()
    found = await fetch(nodes, asked)
    assert (found["state"], found["fetch"]["problem"]) == ("COMPLETED", None)
    assert not [path for _, path, _ in nodes.wire.seen if "/parts/" in path]
    assert "data.ndjson" in received.finished(folder)


async def test_a_manifest_that_was_altered_after_its_signature(
    nodes: Pair, asked: str, monkeypatch: pytest.MonkeyPatch
):
    saying(nodes, monkeypatch, into(persons="40"), sign=False)
    found = await fetch(nodes, asked)
    assert found["fetch"]["problem"]["code"].startswith("catalog-proof")
    assert received.finished(received.folder_of(nodes.consumer, asked)) == []


async def test_a_manifest_is_signed_when_all_parts_are_acknowledged_and_then_for_good(
    nodes: Pair, asked: str
):
    pid, token = await opening(nodes, asked)
    with pytest.raises(Problem, match="release-unfinished"):
        await handing_over.manifest(nodes.provider, pid, token)
    first = await releasing.part(nodes.provider, pid, token, 1)
    await releasing.part(nodes.provider, pid, token, 2, acknowledged=first.info.acknowledgement)
    with pytest.raises(Problem, match="release-unfinished"):
        await handing_over.manifest(nodes.provider, pid, token)
    before = await nodes.provider.store.read(leaves.next_index)
    last = (await releasing.part(nodes.provider, pid, token, 2)).info.acknowledgement
    said = await handing_over.manifest(nodes.provider, pid, token, acknowledged=last)
    nodes.clock.advance(60)
    assert await handing_over.manifest(nodes.provider, pid, token) == said
    assert await nodes.provider.store.read(leaves.next_index) == before + 1


async def manifest(nodes: Pair, pid: str, token: str) -> Json:
    """Take both parts; the manifest of the whole."""
    said = None
    for number in (1, 2):
        found = await releasing.part(nodes.provider, pid, token, number, acknowledged=said)
        said = found.info.acknowledgement
    return await handing_over.manifest(nodes.provider, pid, token, acknowledged=said)


def receipt(nodes: Pair, agreement: object, over: object) -> bytes:
    """A receipt of the consumer's over the manifest of this digest."""
    body = {
        "v": 1,
        "manifest": over,
        "agreement": agreement,
        "received": {"parts": 2, "rows": 36, "bytes": 9},
        "at": "2026-11-26T10:00:00Z",
    }
    return json.dumps({**body, "proof": agreements.sign(nodes.consumer, body)}).encode()


async def test_a_receipt_counts_over_the_manifest_that_was_signed_and_once(nodes: Pair, asked: str):
    provider, (pid, token) = nodes.provider, await opening(nodes, asked)
    agreement = (await views.agreements(provider))[0]["id"]
    with pytest.raises(Problem, match="release-receipt"):  # over nothing yet
        await handing_over.receipt(provider, pid, token, receipt(nodes, agreement, None))
    said = digest(bodies.unsigned(await manifest(nodes, pid, token)))
    before = await provider.store.read(leaves.next_index)
    for named, over in ((agreement, NOTHING), (OTHER, said), (agreement, None)):
        with pytest.raises(Problem, match="release-receipt"):
            await handing_over.receipt(provider, pid, token, receipt(nodes, named, over))
    altered = json.loads(receipt(nodes, agreement, said)) | {"at": "2026-11-26T11:00:00Z"}
    with pytest.raises(Problem, match="catalog-proof"):
        await handing_over.receipt(provider, pid, token, json.dumps(altered).encode())
    kept = await provider.store.read(lambda tx: rows.manifest(tx, transfer=pid))
    assert kept is not None
    assert (kept.receipt, await provider.store.read(leaves.next_index)) == (None, before)
    for _ in range(2):  # its first answer was lost
        await handing_over.receipt(provider, pid, token, receipt(nodes, agreement, said))
    assert (await views.transfers(provider))[0]["receipt"]["manifest"] == said
    assert await provider.store.read(leaves.next_index) == before + 1


async def test_a_fault_of_ours_stops_a_fetch_and_not_in_silence(
    nodes: Pair, asked: str, monkeypatch: pytest.MonkeyPatch
):
    def oddity(*_: object) -> Json:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr(fetching, "_receipt", oddity)
    found = (await fetch(nodes, asked))["fetch"]
    assert (found["running"], found["problem"]["code"]) == (False, "http-internal")
    monkeypatch.undo()
    assert (await fetch(nodes, asked))["state"] == "COMPLETED"


# ------------------------------------------------------------------------------------ addresses


def without(name: str) -> Callable[[Json], object]:
    """An address that lacks one of its properties."""

    def change(said: Json) -> None:
        kept = [one for one in said["endpointProperties"] if not one["name"].endswith(name)]
        said["endpointProperties"] = kept

    return change


def at(url: str) -> Callable[[Json], object]:
    """An address elsewhere, in both spellings of it."""

    def change(said: Json) -> None:
        said["endpoint"] = url
        for one in said["endpointProperties"]:
            if one["name"].endswith("endpoint"):
                one["value"] = url

    return change


ADDRESSES = [
    (without("authorization"), "transfer-address"),
    (without("partSalt"), "transfer-address"),
    (at("http://localhost:1/data/x"), "identity-address-foreign"),
    (at("http://169.254.169.254/latest"), "identity-address-foreign"),
]


async def test_nothing_is_fetched_with_an_address_that_is_not_whole_or_not_the_peer_s(
    nodes: Pair, asked: str, monkeypatch: pytest.MonkeyPatch
):
    plain, told = Wire.post, list(ADDRESSES)

    async def post(self: Wire, url: str, body: bytes, **options: Any) -> Response:
        said = json.loads(body)
        if said["@type"] == "TransferStartMessage":
            told[0][0](said["dataAddress"])
        return await plain(self, url, json.dumps(said).encode(), **options)

    monkeypatch.setattr(Wire, "post", post)
    (theirs,) = await views.transfers(nodes.provider)
    for _, code in ADDRESSES:
        await transferring.suspend(nodes.provider, RESEARCHER, theirs["pid"], "A question.")
        await nodes.settle()
        await transferring.resume(nodes.provider, RESEARCHER, theirs["pid"])
        await nodes.settle()
        assert (await views.transfer(nodes.consumer, asked))["state"] == "STARTED"
        nodes.wire.seen.clear()
        found = await fetch(nodes, asked)
        assert found["fetch"]["problem"]["code"] == code
        assert not [path for _, path, _ in nodes.wire.seen if "/data/" in path]
        assert received.finished(received.folder_of(nodes.consumer, asked)) == []
        told.pop(0)
