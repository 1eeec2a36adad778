"""Every table of a node, declared once with SQLAlchemy Core.

The declarations serve two readers: `statement.Statement`, which compiles each query once per
database, and the migrations' test, which compares them with what the migrations build. The driver
runs the compiled text itself, so columns hold only what every driver understands alike: integers,
text, bytes. JSON is text; instants are text in one fixed width (`rows.stamp`), so that comparing
texts compares instants; digests carry their algorithm (`sha-256:…`).
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

SCHEMA: Final = "0004"
"""The revision of the schema this code reads and writes (the newest of the migrations)."""

KNOWN: Final[tuple[str, ...]] = ("0001", "0002", "0003", "0004")
"""Every revision a migration leads away from or to, oldest first; the last is `SCHEMA`."""

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Big: Final = BigInteger().with_variant(Integer(), "sqlite")


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _number(name: str) -> Column[int]:
    """An integer primary key that the repositories assign themselves (max + 1)."""
    return Column(name, _Big, primary_key=True, autoincrement=False)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _int(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, _Big, nullable=null)


def _blob(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


def _to(name: str, target: str) -> Column[str]:
    return Column(name, Text, ForeignKey(target), nullable=False)


# ------------------------------------------------------------------ what is written once

IS_SHARED: Final = literal_column("digest").is_not(None)

CONTENT: Final = Table(
    "content",
    METADATA,
    _number("n"),
    _text("digest", null=True),  # of what many rows name, so that it is found again
    _blob("body"),  # JSON, or a message's own bytes
    Index(
        "ix_content_digest",
        "digest",
        unique=True,
        sqlite_where=IS_SHARED,
        postgresql_where=IS_SHARED,
    ),
)


def _apart(name: str, *, null: bool = False) -> Column[int]:
    """What is too long to be written with every change of its row: the number of a content."""
    return _int(name, null=null)


# ------------------------------------------------------------------ people, peers, small facts

TOKEN: Final = Table(
    "token",
    METADATA,
    _key("id"),
    _text("name"),
    _text("role"),
    _text("actor"),
    _text("hash"),
    _text("created"),
    _text("revoked", null=True),
    UniqueConstraint("hash"),
)

PEER: Final = Table(
    "peer",
    METADATA,
    _key("did"),
    _text("name", null=True),
    _text("groups"),  # JSON list
    _text("added"),
    _text("head"),  # JSON {group: {version, digest}}: what was seen last, against rollback
    _text("did_document", null=True),  # JSON
    _text("key", null=True),
)

NOTE: Final = Table("note", METADATA, _key("key"), _text("value"))

# ------------------------------------------------------------------ what the node publishes

DATASET: Final = Table(
    "dataset",
    METADATA,
    _key("id"),
    _text("iri"),
    _int("version"),
    _text("grp"),
    _text("state"),  # published | withdrawn
    _text("digest"),
    _text("about"),  # JSON
    _text("revision", null=True),
    _text("published"),
    UniqueConstraint("iri"),
)

DOCUMENT: Final = Table(
    "document",
    METADATA,
    _key("iri"),
    _text("dataset"),
    _int("version"),
    _text("digest"),
    _blob("body"),
    UniqueConstraint("dataset", "version"),
    Index(None, "digest"),
)

HEAD: Final = Table(
    "head",
    METADATA,
    _text("grp"),
    _int("version"),
    _text("digest"),
    _blob("body"),
    PrimaryKeyConstraint("grp", "version"),
)

REVISION: Final = Table(
    "revision",
    METADATA,
    _key("id"),
    _text("dataset"),
    _text("folder"),
    _int("rows"),
    _int("persons"),
    _text("meta"),  # JSON
    _text("created"),
    Index(None, "dataset"),
)

# ------------------------------------------------------------------ what peers publish

CRAWL: Final = Table(
    "crawl",
    METADATA,
    _key("peer"),
    _text("tried"),
    _text("verified", null=True),
    _text("problem", null=True),  # JSON: why the last try found nothing
)

KNOWN_HEAD: Final = Table(
    "known_head",
    METADATA,
    _text("peer"),
    _text("grp"),
    _int("version"),
    _text("digest"),
    _text("etag", null=True),
    _text("did_document"),  # JSON: whose keys verified it
    _blob("body"),
    _text("at"),
    PrimaryKeyConstraint("peer", "grp"),
)

KNOWN_DATASET: Final = Table(
    "known_dataset",
    METADATA,
    _text("peer"),
    _text("iri"),
    _text("grp"),
    _text("digest"),
    _text("card"),  # JSON: what a search needs
    PrimaryKeyConstraint("peer", "iri"),
)

# ------------------------------------------------------------------ negotiating

NEGOTIATION: Final = Table(
    "negotiation",
    METADATA,
    _key("pid"),
    _text("role"),
    _text("peer"),
    _text("peer_pid", null=True),
    _text("state"),
    _int("version"),
    _text("body"),  # JSON: the protocol's Negotiation, but for what stands apart
    _apart("offer"),
    _apart("application", null=True),
    _apart("agreement", null=True),
    _text("created"),
    _text("updated"),
    Index(None, "peer", "peer_pid"),
)

AGREEMENT: Final = Table(
    "agreement",
    METADATA,
    _key("id"),
    _to("negotiation", "negotiation.pid"),
    _text("role"),
    _text("peer"),
    _text("dataset"),
    _text("state"),  # pending | active | ended
    _apart("document"),
    _text("digest"),
    _text("provider_proof", null=True),  # JSON
    _text("consumer_proof", null=True),  # JSON
    _apart("plan", null=True),
    _text("plan_digest", null=True),
    _apart("application", null=True),
    _apart("dataset_document", null=True),
    _apart("wire", null=True),  # as it was sent
    _apart("did", null=True),  # our DID document then, and the peer's
    _apart("peer_did", null=True),
    _text("expires", null=True),
    _text("body"),  # JSON: the rest
    _text("created"),
    UniqueConstraint("negotiation"),
)

MESSAGE: Final = Table(
    "message",
    METADATA,
    _number("seq"),
    _text("process"),
    _text("direction"),  # in | out
    _text("type"),
    _text("digest"),
    _apart("body"),
    _text("at"),
    Index(None, "process"),
)

DECISION: Final = Table(
    "decision",
    METADATA,
    _number("seq"),
    _text("process"),
    _text("kind"),  # automatic | person
    _text("role", null=True),
    _text("actor", null=True),
    _text("outcome"),
    _text("shared"),  # JSON
    _text("internal"),  # JSON
    _text("at"),
    Index(None, "process"),
)

INBOX: Final = Table(
    "inbox",
    METADATA,
    _key("key"),
    _text("peer"),
    _text("digest"),
    _int("status"),
    _blob("reply"),
    _text("at"),
)

# Spelled into the queries too: only then do the databases recognise their partial indexes.
IS_PENDING: Final = literal_column("state") == literal_column("'pending'")

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    _number("seq"),
    _text("process"),
    _text("peer"),
    _text("url"),
    _text("type"),
    _apart("body"),
    _text("state"),  # pending | sent | failed | dropped
    _int("attempts"),
    _text("next_at"),
    _text("lease_until", null=True),
    _text("deadline", null=True),
    _int("answer_status", null=True),
    _blob("answer", null=True),
    _text("created"),
    Index(None, "process", "seq"),
    Index(
        "ix_outbox_pending",
        "process",
        "seq",
        sqlite_where=IS_PENDING,
        postgresql_where=IS_PENDING,
    ),
)

ATTEMPT: Final = Table(
    "attempt",
    METADATA,
    Column("outbox", _Big, ForeignKey("outbox.seq"), nullable=False),
    _int("n"),  # 0: what was known before the first one
    _text("at"),
    _int("status", null=True),
    _text("problem", null=True),
    _blob("answer", null=True),
    _text("next_at", null=True),
    PrimaryKeyConstraint("outbox", "n"),
)

JTI: Final = Table(
    "jti",
    METADATA,
    _text("issuer"),
    _text("jti"),
    _text("expires"),
    PrimaryKeyConstraint("issuer", "jti"),
    Index(None, "expires"),
)

# ------------------------------------------------------------------ releasing

TRANSFER: Final = Table(
    "transfer",
    METADATA,
    _key("pid"),
    _text("role"),
    _text("peer"),
    _text("peer_pid", null=True),
    _to("agreement", "agreement.id"),
    _text("state"),
    _int("version"),
    _text("body"),  # JSON: the protocol's Transfer, whole
    _text("created"),
    _text("updated"),
    Index(None, "peer", "peer_pid"),
    Index(None, "agreement"),
)

SESSION: Final = Table(
    "session",
    METADATA,
    Column("transfer", Text, ForeignKey("transfer.pid"), primary_key=True),
    _text("token_hash", null=True),
    _text("body"),  # JSON: revision, part salt, cursor …
    UniqueConstraint("token_hash"),
)

PART: Final = Table(
    "part",
    METADATA,
    _to("transfer", "transfer.pid"),
    _int("n"),
    _int("issue"),
    _int("start", null=True),  # source range, fixed by the first issue (provider only)
    _int("stop", null=True),
    _int("rows"),
    _int("bytes"),
    _text("digest"),
    _text("encoder", null=True),
    _int("leaf", null=True),
    _int("epoch", null=True),
    _int("withheld", null=True),
    _text("acknowledged", null=True),
    _text("at"),
    PrimaryKeyConstraint("transfer", "n", "issue"),
)

MANIFEST: Final = Table(
    "manifest",
    METADATA,
    Column("transfer", Text, ForeignKey("transfer.pid"), primary_key=True),
    _text("body"),  # JSON
    _text("receipt", null=True),  # JSON
    _text("at"),
)

# ------------------------------------------------------------------ evidence

LEAF: Final = Table(
    "leaf",
    METADATA,
    _number("idx"),
    _text("type"),
    _text("agreement", null=True),  # the plain id; the leaf itself holds only its salted hash
    _int("n", null=True),
    _blob("bytes"),
    _text("shared_body", null=True),  # JSON
    _blob("shared_salt", null=True),
    _text("private_body", null=True),  # JSON
    _text("at"),
    Index(None, "agreement", "type", "n", unique=True),
)

SALT: Final = Table("salt", METADATA, _key("agreement"), _blob("salt"))

CHECKPOINT: Final = Table(
    "checkpoint",
    METADATA,
    _number("size"),
    _blob("root"),
    _text("note"),
    _text("at"),
)

# ------------------------------------------------------------------ people in the data

SUBJECT: Final = Table(
    "subject",
    METADATA,
    _number("number"),
    _blob("key"),  # keyed hash, never an identifier
    UniqueConstraint("key"),
)

ALIAS: Final = Table(
    "alias",
    METADATA,
    Column("a", _Big, ForeignKey("subject.number"), nullable=False),
    Column("b", _Big, ForeignKey("subject.number"), nullable=False),
    _text("source"),
    _text("since"),
    PrimaryKeyConstraint("a", "b"),
)

CONSENT_EVENT: Final = Table(
    "consent_event",
    METADATA,
    _number("seq"),
    _text("event_id"),
    Column("subject", _Big, ForeignKey("subject.number"), nullable=False),
    _text("status"),
    _text("recipient"),
    _text("purpose"),
    _text("category"),
    _text("at"),
    _text("valid_until", null=True),
    _text("notice", null=True),
    _text("door"),
    _text("actor"),
    _text("recorded"),
    _int("epoch"),
    _blob("salt"),
    UniqueConstraint("event_id"),
    Index(None, "recipient", "category", "subject"),
    Index(None, "recipient", "category", "epoch"),
    Index(None, "subject"),
    Index(None, "epoch"),
)

TICK: Final = Table(
    "tick",
    METADATA,
    _number("epoch"),
    _blob("root"),
    _int("events"),
    _int("leaf", null=True),
    _text("at"),
)
