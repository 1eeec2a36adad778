"""Two parties with real keys, one agreement played through a real store and log, its bundle.

`played` is built once; what a test changes, it changes in the zip (`Forger`).
"""

import asyncio
import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from catalog import dcat, model, proofs
from catalog.proofs import encode_key
from connector.evidence import bodies, bundle
from connector.evidence.leaf import Entry, commit_keyed, message_digest
from connector.evidence.log import Log
from connector.protocol.negotiation import agreement_id
from connector.store.store import Store
from policies import application, compare, odrl
from policies.jcs import digest, digest_bytes, jcs
from policies.plan import Plan, Rows
from tests.support.clock import START
from tests.support.ids import SeededIds

DATASET = "https://platform.example/datasets/mooc"
PROVIDER_PID, CONSUMER_PID = "urn:uuid:" + "a" * 8 + "-0000-4000-8000-" + "1" * 12, "urn:uuid:c"
TRANSFER, TRANSFER_AT_CONSUMER = "urn:uuid:t-provider", "urn:uuid:t-consumer"
SALT = bytes(range(32))
OFFER = {
    "@type": "Offer",
    "permission": [
        {
            "action": "use",
            "constraint": [
                {
                    "leftOperand": "odrl:purpose",
                    "operator": "isAnyOf",
                    "rightOperand": [{"@id": "https://w3id.org/preau/ns#EducationResearch"}],
                },
                {
                    "leftOperand": "odrl:dateTime",
                    "operator": "lt",
                    "rightOperand": {
                        "@value": "2028-01-01T00:00:00Z",
                        "@type": "http://www.w3.org/2001/XMLSchema#dateTime",
                    },
                },
            ],
        }
    ],
}
PARTS = (b'{"row":1}\n{"row":2}\n', b'{"row":3}\n', b'{"row":4}\n{"row":5}\n{"row":6}\n')


@dataclass(frozen=True)
class Party:
    """A participant: a DID, an assertion key and a log key."""

    did: str
    name: str

    def key(self, use: str) -> Ed25519PrivateKey:
        seed = hashlib.sha256(f"{self.did}:{use}".encode()).digest()
        return Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def method(self) -> str:
        return f"{self.did}#assertion-1"

    def public(self, use: str) -> bytes:
        return self.key(use).public_key().public_bytes_raw()

    def sign(self, document: Mapping[str, Any], at: datetime = START) -> dict[str, Any]:
        proof_id = SeededIds(f"{self.did}:{digest(document)}").uuid()
        key = self.key("assertion")
        return proofs.sign(
            document, sign=key.sign, method=self.method, created=at, proof_id=proof_id
        )

    def did_document(self) -> dict[str, Any]:
        def method(name: str, use: str) -> dict[str, str]:
            multibase = encode_key(self.public(use))
            return {
                "id": f"{self.did}#{name}",
                "type": "Multikey",
                "controller": self.did,
                "publicKeyMultibase": multibase,
            }

        return {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": self.did,
            "verificationMethod": [method("assertion-1", "assertion"), method("log-1", "log")],
            "assertionMethod": [self.method],
        }


PLATFORM = Party("did:web:platform.example", "Plateforme")
LAB = Party("did:web:lab.example", "Labo")
ATTACKER = Party("did:web:attacker.example", "Mallory")


def dataset_document() -> dict[str, Any]:
    policy = dcat.offered(odrl.read(OFFER), DATASET, PLATFORM.did)
    described = model.Dataset(
        iri=DATASET,
        identifier="mooc",
        version=1,
        title=model.Words(fr="Traces", en="Traces"),
        description=model.Words(fr="Vidéos", en="Videos"),
        publisher=model.Publisher(PLATFORM.did, PLATFORM.name),
        kind="xapi",
        category="https://w3id.org/preau/ns#LearningTraces",
        audience="adults",
        basis=model.LegalBasis("consent", "notice"),
        notice=model.Notice("https://platform.example/notice", "1", "sha-256:" + "ab" * 32),
        personal=True,
        fields=(model.Field("verb", "/verb/id", "iri", personal="no"),),
        periodicity="monthly",
        issued=START,
        modified=START,
        until=datetime(2028, 1, 1, tzinfo=UTC),
        retention="P1Y",
        retention_reason=None,
        dpia=None,
        group="public",
        rows=6,
        persons="<10",
        offers=(model.Offer(policy, ("dpo",)),),
        distributions=(model.Distribution("ndjson", "application/x-ndjson"),),
        endpoint="https://platform.example/dsp/2025-1",
    )
    return PLATFORM.sign(dcat.document(described))


def application_document(offer: str) -> dict[str, Any]:
    draft = application.draft(
        {
            "purpose": "https://w3id.org/preau/ns#EducationResearch",
            "project": {"title": "Apprendre", "end": "2027-06-30"},
            "fields": ["verb"],
            "period": {"from": "2026-01-01", "to": "2026-06-30"},
            "relation": {"type": "separate"},
            "processors": [],
        }
    )
    made = application.complete(
        draft,
        id="urn:uuid:0b9d6f1e-7a3f-4a27-9c39-0d3c1f1f3b11",
        requester=LAB.did,
        provider=PLATFORM.did,
        dataset=DATASET,
        offer=offer,
        issued="2026-09-01T08:00:00Z",
    )
    return LAB.sign(made.document())


@dataclass
class Deal:
    """The documents of one agreement, signed by those who sign them."""

    dataset: dict[str, Any] = field(default_factory=dataset_document)
    signs: bool = True
    logged: tuple[Party, ...] = (PLATFORM, LAB)
    """Whose assent is logged."""

    def __post_init__(self) -> None:
        self.offer = dcat.read(self.dataset).offers[0].policy
        self.application = application_document(self.offer.id)
        self.id = agreement_id(PLATFORM.did, LAB.did, PROVIDER_PID, CONSUMER_PID)
        narrowed = compare.narrow(self.offer, application.read(self.application))
        self.policy = dataclasses.replace(
            narrowed,
            kind="Agreement",
            id=self.id,
            assigner=PLATFORM.did,
            assignee=LAB.did,
            target=DATASET,
        )
        self.agree()

    def agree(self) -> None:
        """Write the agreement and its plan from what the deal is about now, and sign it."""
        self.agreement = {
            "@context": self.dataset["@context"],
            "v": 1,
            **odrl.document(self.policy),
            "timestamp": "2026-09-01T08:05:00Z",
            "offer": self.offer.id,
            "signedDocument": named(self.dataset),
            "application": named(self.application),
        }
        self.sign()
        self.plan = Plan(
            agreement=self.id,
            policy="ni:///sha-256;" + odrl.rules_digest(self.policy),
            dataset=DATASET,
            rows=Rows(None, None),
            fields=(),
            treatments=None,
        ).document()

    def sign(self) -> None:
        """Put the parties' proofs under the agreement as it is."""
        self.proofs = [PLATFORM.sign(self.agreement)["proof"]]
        if self.signs:
            self.proofs.append(LAB.sign(self.agreement)["proof"])

    def messages(self) -> list[tuple[str, str, dict[str, Any], str]]:
        """Sender, leaf type, wire and the state after it."""
        pids = {"providerPid": PROVIDER_PID, "consumerPid": CONSUMER_PID}
        wire = odrl.wire(self.policy, timestamp="2026-09-01T08:05:00Z")
        moved = {"providerPid": TRANSFER, "consumerPid": TRANSFER_AT_CONSUMER}
        request = {"consumerPid": CONSUMER_PID, "offer": odrl.wire(self.offer)}
        event = "ContractNegotiationEventMessage"
        address = {"dataAddress": {"@type": "DataAddress", "endpoint": "https://x", "t": "secret"}}
        return [
            ("lab", "negotiation", typed("ContractRequestMessage", request), "REQUESTED"),
            (
                "platform",
                "negotiation",
                typed("ContractAgreementMessage", {**pids, "agreement": wire}),
                "AGREED",
            ),
            (
                "lab",
                "negotiation",
                typed("ContractAgreementVerificationMessage", pids),
                "VERIFIED",
            ),
            (
                "platform",
                "negotiation",
                typed(event, {**pids, "eventType": "FINALIZED"}),
                "FINALIZED",
            ),
            (
                "lab",
                "transfer",
                typed("TransferRequestMessage", {"consumerPid": TRANSFER_AT_CONSUMER}),
                "REQUESTED",
            ),
            ("platform", "transfer", typed("TransferStartMessage", moved | address), "STARTED"),
            ("lab", "transfer", typed("TransferCompletionMessage", moved), "COMPLETED"),
        ]


def typed(kind: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": kind, **members}


def named(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": document["id"], "digest": digest(bodies.unsigned(document))}


@dataclass
class Node:
    """One party's store and log, on which a deal is played."""

    party: Party
    folder: Path
    now: datetime = START

    def __post_init__(self) -> None:
        self.ids = SeededIds(self.party.did)
        self.store = Store.open(self.folder / "node.db", create=True)
        self.log = self.open_log()

    def open_log(self, **given: Any) -> Log:
        options: dict[str, Any] = {
            "sign": self.party.key("log").sign,
            "key": self.party.public("log"),
            "origin": f"{self.party.did.removeprefix('did:web:')}/log",
            "clock": _Still(self),
            "ids": self.ids,
        } | given
        return Log.open(self.folder / "log", self.store, **options)

    def add(self, *entries: Entry) -> list[int]:
        self.now += timedelta(seconds=1)
        return self.store.write_now(
            lambda tx: [self.log.append(tx, entry, self.now) for entry in entries]
        )

    def advance(self) -> bytes:
        note = asyncio.run(self.log.advance())
        assert note is not None
        return note

    def close(self) -> None:
        self.log.close()
        self.store.close()


@dataclass
class _Still:
    node: Node

    def now(self) -> datetime:
        return self.node.now


@dataclass
class Played:
    """A bundle, with what it was made of."""

    node: Node
    deal: Deal
    parts: bundle.BundleParts
    data: bytes
    older: bytes
    older_size: int


class Stage:
    """A deal being played on one node: what was logged and said so far."""

    def __init__(self, node: Node, deal: Deal) -> None:
        self.node, self.deal = node, deal
        self.provider = node.party is PLATFORM
        self.said: list[bundle.Message] = []
        self.lines = iter(deal.messages())

    def log(self, kind: str, body: Mapping[str, Any], private: Any = None) -> int:
        return self.node.add(Entry(kind, self.deal.id, body, private))[0]

    def say(self, count: int = 1) -> None:
        for _ in range(count):
            sender, kind, wire, state = next(self.lines)
            direction: Any = "out" if (sender == "platform") == self.provider else "in"
            body = bodies.message(wire, direction, state, message_digest(wire))
            known = self.provider or wire["@type"] != "ContractRequestMessage"
            about = None if known else CONSUMER_PID
            self.node.add(Entry(kind, self.deal.id if known else None, body, about=about))
            self.said.append(bundle.Message(direction, wire))

    def agree(self) -> None:
        deal = self.deal
        self.say()
        if self.provider:
            body = bodies.decision(DECISION, by="dpo", outcome="approve")
            self.log("decision", body, {"actor": "actor-7", "trace": INTERNAL})
        for party, proof in zip((PLATFORM, LAB), (*deal.proofs, None), strict=False):
            self.say()
            did = party.did_document()
            said = bodies.agreement(deal.agreement, by=party.did, proof=proof, did=did)
            if party in deal.logged:
                self.log("agreement", said)
        if self.provider:
            self.log("plan", bodies.plan(deal.plan))
        self.say()

    def release(self, rows: tuple[bytes, ...]) -> bundle.Handover:
        listed = [self.part(number, data) for number, data in enumerate(rows, start=1)]
        manifest = PLATFORM.sign(
            {
                "v": 1,
                "transfer": TRANSFER,
                "agreement": self.deal.id,
                "plan": digest(self.deal.plan),
                "state": "complete",
                "parts": listed,
            }
        )
        self.log("manifest", bodies.manifest(manifest))
        receipt = LAB.sign(
            {
                "v": 1,
                "manifest": digest(bodies.unsigned(manifest)),
                "agreement": self.deal.id,
                "received": "2026-09-01T09:00:00Z",
            }
        )
        self.log("receipt", bodies.receipt(receipt))
        return bundle.Handover(manifest, receipt, SALT)

    def part(self, number: int, data: bytes) -> dict[str, Any]:
        figures: dict[str, Any] = {
            "issue": 1,
            "rows": data.count(b"\n"),
            "digest": commit_keyed(SALT, data),
        }
        leaf = 40 + number
        if self.provider:
            shared = bodies.part(TRANSFER, number, size=len(data), **figures)
            leaf = self.log("part", shared, {"withheld": number})
        return {"n": number, "bytes": len(data), "leaf": leaf, **figures}


DECISION = {"v": 1, "outcome": "approve", "role": "dpo"}
INTERNAL = {"v": 1, "rule": "internal"}


def play(node: Node, deal: Deal, rows: tuple[bytes, ...] = PARTS) -> Played:
    """Log everything a node logs about a deal, and make its bundle."""
    stage = Stage(node, deal)
    if stage.provider:
        node.add(Entry("catalog", None, bodies.catalog(deal.dataset, DATASET), about=DATASET))
    node.add(Entry("config", None, None, {"setting": "x"}))
    stage.agree()
    node.add(Entry("negotiation", "urn:uuid:another", {"message": "x"}))
    stage.say(2)
    older = node.advance()
    handover = stage.release(rows)
    stage.say()
    node.advance()
    parts = bundle.BundleParts(
        node=node.party.did,
        agreement=deal.agreement,
        proofs=tuple(deal.proofs),
        application=deal.application,
        dataset=deal.dataset,
        plan=deal.plan if stage.provider else None,
        messages=tuple(stage.said),
        decisions=(bundle.Decision(DECISION, INTERNAL),) if stage.provider else (),
        handovers=(handover,),
        dids=(PLATFORM.did_document(), LAB.did_document()),
        ledger=collect(node, deal),
    )
    older_size = int(older.split(b"\n")[1])
    return Played(node, deal, parts, written(node.party, parts), older, older_size)


def collect(node: Node, deal: Deal) -> bundle.Ledger:
    return node.store.read_now(
        lambda tx: bundle.collect(
            tx,
            node.log,
            deal.id,
            about=(DATASET, CONSUMER_PID),
            documents=(named(deal.dataset)["digest"],),
        )
    )


def written(party: Party, parts: bundle.BundleParts, *, private: bool = False) -> bytes:
    return bundle.write(
        parts,
        sign=party.key("assertion").sign,
        method=party.method,
        created=START,
        proof_id="urn:uuid:0b9d6f1e-7a3f-4a27-9c39-000000000001",
        private=private,
    )


@dataclass
class Forger:
    """Changes files of a bundle and makes the index fit again, signed by whoever he can be."""

    data: bytes

    def __post_init__(self) -> None:
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}

    def json(self, path: str) -> Any:
        return json.loads(self.files[path])

    def put(self, path: str, value: object) -> None:
        self.files[path] = jcs(value)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files["leaves.jsonl"].splitlines()]

    def put_lines(self, lines: list[dict[str, Any]]) -> None:
        self.files["leaves.jsonl"] = b"".join(jcs(line) + b"\n" for line in lines)

    def index(self, signer: Party | None = None, **changed: Any) -> None:
        """Recompute every digest; keep the old signature, or sign again."""
        index = self.json("index.json") | changed
        index["files"] = {
            path: digest_bytes(data) for path, data in self.files.items() if path != "index.json"
        }
        if signer is not None:
            index = signer.sign(bodies.unsigned(index))
        self.put("index.json", index)

    def write(self, folder: Path) -> Path:
        path = folder / "forged.zip"
        path.write_bytes(bundle.pack(self.files))
        return path


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The provider's bundle."""
    node = Node(PLATFORM, tmp_path_factory.mktemp("platform"))
    yield play(node, Deal())
    node.close()


@pytest.fixture(scope="session")
def played_by_lab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The consumer's bundle of the same deal."""
    node = Node(LAB, tmp_path_factory.mktemp("lab"))
    yield play(node, Deal())
    node.close()


@pytest.fixture
def forger(played: Played) -> Forger:
    """Someone with the provider's bundle in his hands."""
    return Forger(played.data)


@pytest.fixture
def forge() -> Callable[[bytes], Forger]:
    """Someone with any bundle in his hands."""
    return Forger


@pytest.fixture
def node(tmp_path: Path) -> Any:
    """A fresh node of the platform."""
    made = Node(PLATFORM, tmp_path)
    yield made
    made.close()


@pytest.fixture
def parties() -> dict[str, Party]:
    """Whose keys a forger may hold."""
    return {"platform": PLATFORM, "lab": LAB, "attacker": ATTACKER}


@pytest.fixture
def make_deal() -> Callable[..., Deal]:
    """Another deal."""
    return Deal


@pytest.fixture
def play_on() -> Callable[..., Played]:
    """Play a deal on a node."""
    return play


@pytest.fixture
def write_bundle() -> Callable[..., bytes]:
    """Write a bundle as one party."""
    return written
