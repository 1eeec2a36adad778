"""What the repositories take and return: one frozen dataclass per kind of row.

Instants are aware datetimes in UTC, JSON columns plain `dict`s (`Json`), digests texts such as
`sha-256:…`. Where a row numbers itself, `seq` is 0 until it is stored.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from connector.store.codec import Json

AgreementState = Literal["pending", "active", "ended"]
DatasetState = Literal["published", "withdrawn"]
Direction = Literal["in", "out"]
OutboxState = Literal["pending", "sent", "failed", "dropped"]

# ------------------------------------------------------------------ people, peers


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A person's access to the management API; `actor` is the pseudonymous id in evidence."""

    id: str
    name: str
    role: str
    actor: str
    hash: str
    created: datetime
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class PeerRow:
    """Another participant; `head` = {group: {"version", "digest"}} as seen last."""

    did: str
    name: str | None
    groups: tuple[str, ...]
    added: datetime
    head: Json
    did_document: Json | None = None
    key: str | None = None


# ------------------------------------------------------------------ catalog


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset as it stands now; `version` and `digest` name its newest signed document."""

    id: str
    iri: str
    version: int
    group: str
    state: DatasetState
    digest: str
    about: Json
    revision: str | None
    published: datetime


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A signed dataset document, immutable; `body` is what is served, byte for byte."""

    iri: str
    dataset: str
    version: int
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True)
class HeadRow:
    """A signed head of a catalog group; `body` is what is served, byte for byte."""

    group: str
    version: int
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """An immutable copy of a dataset's data, in a folder of the node."""

    id: str
    dataset: str
    folder: str
    rows: int
    persons: int
    meta: Json
    created: datetime


@dataclass(frozen=True, slots=True)
class CrawlRow:
    """When a peer's catalogs were asked for and last verified, and what went wrong since."""

    peer: str
    tried: datetime
    verified: datetime | None = None
    problem: Json | None = None


@dataclass(frozen=True, slots=True)
class KnownHeadRow:
    """A peer's verified head of one group, as fetched, with the DID document that verified it."""

    peer: str
    group: str
    version: int
    digest: str
    etag: str | None
    did_document: Json
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownDatasetRow:
    """A dataset of a peer whose verified document (by `digest`) is kept; `card` is for searches."""

    peer: str
    iri: str
    group: str
    digest: str
    card: Json


# ------------------------------------------------------------------ negotiating


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """An agreement with everything that was signed about it; proofs are None until they come.

    `wire` is the agreement as it was sent; `did` and `peer_did` are the DID documents whose keys
    signed, None for a peer that cannot sign.
    """

    id: str
    negotiation: str
    role: str
    peer: str
    dataset: str
    state: AgreementState
    document: Json
    digest: str
    created: datetime
    provider_proof: Json | None = None
    consumer_proof: Json | None = None
    plan: Json | None = None
    plan_digest: str | None = None
    application: Json | None = None
    dataset_document: Json | None = None
    wire: Json | None = None
    did: Json | None = None
    peer_did: Json | None = None
    expires: datetime | None = None
    body: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PromisedRow:
    """The part of an agreement that its second signature is about and goes to."""

    id: str
    document: Json
    digest: str
    consumer_proof: Json | None
    peer_did: Json | None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A protocol message as it was received or written; `process` is our pid."""

    process: str
    direction: Direction
    type: str
    digest: str
    body: bytes
    at: datetime
    seq: int = 0


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision about a process, by rule or by a person, in both renderings of its trace."""

    process: str
    kind: Literal["automatic", "person"]
    role: str | None
    actor: str | None
    outcome: str
    shared: Json
    internal: Json
    at: datetime
    seq: int = 0


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A message we have answered, and the exact answer."""

    key: str
    peer: str
    digest: str
    status: int
    reply: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message to deliver. `attempts` counts claims, so that a crash counts too."""

    process: str
    peer: str
    url: str
    type: str
    body: bytes
    next_at: datetime
    created: datetime
    deadline: datetime | None = None
    state: OutboxState = "pending"
    attempts: int = 0
    lease_until: datetime | None = None
    answer_status: int | None = None
    answer: bytes | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt to deliver message `outbox`: a status, or the code of why there was none.

    `n` counts from 1; 0 is a warning noted before the first one. `answer` is clipped and holds no
    secrets; `next_at` is when it is tried again, None after the last.
    """

    outbox: int
    n: int
    at: datetime
    status: int | None = None
    problem: str | None = None
    answer: bytes | None = None
    next_at: datetime | None = None


# ------------------------------------------------------------------ releasing


@dataclass(frozen=True, slots=True)
class SessionRow:
    """What serving (or fetching) a transfer needs: revision, part salt, cursor … in `body`."""

    transfer: str
    token_hash: str | None
    body: Json


@dataclass(frozen=True, slots=True)
class PartRow:
    """One issue of one part. On the consumer's side the private columns are None."""

    transfer: str
    n: int
    issue: int
    rows: int
    bytes: int
    digest: str
    at: datetime
    start: int | None = None
    stop: int | None = None
    encoder: str | None = None
    leaf: int | None = None
    epoch: int | None = None
    withheld: int | None = None
    acknowledged: datetime | None = None


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """The signed manifest of a transfer, and the consumer's receipt once there is one."""

    transfer: str
    body: Json
    at: datetime
    receipt: Json | None = None


# ------------------------------------------------------------------ evidence


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A leaf (`data`: its bytes, as hashed), what lies beside it, and the plain agreement id."""

    idx: int
    type: str
    agreement: str | None
    n: int | None
    data: bytes
    at: datetime
    shared_body: Json | None = None
    shared_salt: bytes | None = None
    private_body: Json | None = None


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed checkpoint of the log (`note`, as published)."""

    size: int
    root: bytes
    note: str
    at: datetime


# ------------------------------------------------------------------ people in the data


@dataclass(frozen=True, slots=True)
class AliasRow:
    """Two subjects that are one person, `a` < `b`."""

    a: int
    b: int
    source: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ConsentEventRow:
    """One answer of one person, as recorded; `salt` opens its commitment in the tick's leaf."""

    event_id: str
    subject: int
    status: str
    recipient: str
    purpose: str
    category: str
    at: datetime
    valid_until: datetime | None
    notice: str | None
    door: str
    actor: str
    recorded: datetime
    epoch: int
    salt: bytes
    seq: int = 0


@dataclass(frozen=True, slots=True)
class TickRow:
    """A tick of the consent state: its events' Merkle root and the leaf that holds it."""

    epoch: int
    root: bytes
    events: int
    leaf: int | None
    at: datetime
