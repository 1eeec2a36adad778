"""The first schema: everything a node of the first release remembers."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = BigInteger().with_variant(Integer(), "sqlite")
PENDING = text("state = 'pending'")


def upgrade() -> None:
    _people()
    _catalog()
    _negotiating()
    _process()
    _delivery()
    _releasing()
    _evidence()
    _subjects()
    _consents()


def _people() -> None:
    """Tokens, peers, small facts."""
    op.create_table(
        "token",
        Column("id", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("hash", Text, nullable=False),
        Column("created", Text, nullable=False),
        Column("revoked", Text, nullable=True),
        UniqueConstraint("hash", name="uq_token_hash"),
        PrimaryKeyConstraint("id", name="pk_token"),
    )
    op.create_table(
        "peer",
        Column("did", Text, nullable=False),
        Column("name", Text, nullable=True),
        Column("groups", Text, nullable=False),
        Column("added", Text, nullable=False),
        Column("head", Text, nullable=False),
        Column("did_document", Text, nullable=True),
        Column("key", Text, nullable=True),
        PrimaryKeyConstraint("did", name="pk_peer"),
    )
    op.create_table(
        "note",
        Column("key", Text, nullable=False),
        Column("value", Text, nullable=False),
        PrimaryKeyConstraint("key", name="pk_note"),
    )


def _catalog() -> None:
    """What the node publishes."""
    op.create_table(
        "dataset",
        Column("id", Text, nullable=False),
        Column("iri", Text, nullable=False),
        Column("version", BIG, nullable=False),
        Column("grp", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("about", Text, nullable=False),
        Column("revision", Text, nullable=True),
        Column("published", Text, nullable=False),
        UniqueConstraint("iri", name="uq_dataset_iri"),
        PrimaryKeyConstraint("id", name="pk_dataset"),
    )
    op.create_table(
        "document",
        Column("iri", Text, nullable=False),
        Column("dataset", Text, nullable=False),
        Column("version", BIG, nullable=False),
        Column("digest", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        UniqueConstraint("dataset", "version", name="uq_document_dataset_version"),
        PrimaryKeyConstraint("iri", name="pk_document"),
    )
    op.create_index("ix_document_digest", "document", ["digest"])
    op.create_table(
        "head",
        Column("grp", Text, nullable=False),
        Column("version", BIG, nullable=False),
        Column("digest", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        PrimaryKeyConstraint("grp", "version", name="pk_head"),
    )
    op.create_table(
        "revision",
        Column("id", Text, nullable=False),
        Column("dataset", Text, nullable=False),
        Column("folder", Text, nullable=False),
        Column("rows", BIG, nullable=False),
        Column("persons", BIG, nullable=False),
        Column("meta", Text, nullable=False),
        Column("created", Text, nullable=False),
        PrimaryKeyConstraint("id", name="pk_revision"),
    )
    op.create_index("ix_revision_dataset", "revision", ["dataset"])


def _negotiating() -> None:
    """Negotiations and agreements."""
    op.create_table(
        "negotiation",
        Column("pid", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("peer", Text, nullable=False),
        Column("peer_pid", Text, nullable=True),
        Column("state", Text, nullable=False),
        Column("version", BIG, nullable=False),
        Column("body", Text, nullable=False),
        Column("created", Text, nullable=False),
        Column("updated", Text, nullable=False),
        PrimaryKeyConstraint("pid", name="pk_negotiation"),
    )
    op.create_index("ix_negotiation_peer_peer_pid", "negotiation", ["peer", "peer_pid"])
    op.create_table(
        "agreement",
        Column("id", Text, nullable=False),
        Column("negotiation", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("peer", Text, nullable=False),
        Column("dataset", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("document", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("provider_proof", Text, nullable=True),
        Column("consumer_proof", Text, nullable=True),
        Column("plan", Text, nullable=True),
        Column("plan_digest", Text, nullable=True),
        Column("application", Text, nullable=True),
        Column("dataset_document", Text, nullable=True),
        Column("expires", Text, nullable=True),
        Column("body", Text, nullable=False),
        Column("created", Text, nullable=False),
        UniqueConstraint("negotiation", name="uq_agreement_negotiation"),
        PrimaryKeyConstraint("id", name="pk_agreement"),
        ForeignKeyConstraint(["negotiation"], ["negotiation.pid"], name="fk_agreement_negotiation"),
    )


def _process() -> None:
    """What a process leaves behind."""
    op.create_table(
        "message",
        Column("seq", BIG, nullable=False, autoincrement=False),
        Column("process", Text, nullable=False),
        Column("direction", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("seq", name="pk_message"),
    )
    op.create_index("ix_message_process", "message", ["process"])
    op.create_table(
        "decision",
        Column("seq", BIG, nullable=False, autoincrement=False),
        Column("process", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("role", Text, nullable=True),
        Column("actor", Text, nullable=True),
        Column("outcome", Text, nullable=False),
        Column("shared", Text, nullable=False),
        Column("internal", Text, nullable=False),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("seq", name="pk_decision"),
    )
    op.create_index("ix_decision_process", "decision", ["process"])


def _delivery() -> None:
    """Messages answered, messages to deliver, tokens used."""
    op.create_table(
        "inbox",
        Column("key", Text, nullable=False),
        Column("peer", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("status", BIG, nullable=False),
        Column("reply", LargeBinary, nullable=False),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("key", name="pk_inbox"),
    )
    op.create_index("ix_inbox_at", "inbox", ["at"])
    op.create_table(
        "outbox",
        Column("seq", BIG, nullable=False, autoincrement=False),
        Column("process", Text, nullable=False),
        Column("peer", Text, nullable=False),
        Column("url", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("state", Text, nullable=False),
        Column("attempts", BIG, nullable=False),
        Column("next_at", Text, nullable=False),
        Column("lease_until", Text, nullable=True),
        Column("deadline", Text, nullable=True),
        Column("answer_status", BIG, nullable=True),
        Column("answer", LargeBinary, nullable=True),
        Column("created", Text, nullable=False),
        PrimaryKeyConstraint("seq", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["process", "seq"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.create_index("ix_outbox_process_seq", "outbox", ["process", "seq"])
    op.create_table(
        "jti",
        Column("issuer", Text, nullable=False),
        Column("jti", Text, nullable=False),
        Column("expires", Text, nullable=False),
        PrimaryKeyConstraint("issuer", "jti", name="pk_jti"),
    )
    op.create_index("ix_jti_expires", "jti", ["expires"])


def _releasing() -> None:
    """Transfers, their parts and manifests."""
    op.create_table(
        "transfer",
        Column("pid", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("peer", Text, nullable=False),
        Column("peer_pid", Text, nullable=True),
        Column("agreement", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("version", BIG, nullable=False),
        Column("body", Text, nullable=False),
        Column("created", Text, nullable=False),
        Column("updated", Text, nullable=False),
        PrimaryKeyConstraint("pid", name="pk_transfer"),
        ForeignKeyConstraint(["agreement"], ["agreement.id"], name="fk_transfer_agreement"),
    )
    op.create_index("ix_transfer_agreement", "transfer", ["agreement"])
    op.create_index("ix_transfer_peer_peer_pid", "transfer", ["peer", "peer_pid"])
    op.create_table(
        "session",
        Column("transfer", Text, nullable=False),
        Column("token_hash", Text, nullable=True),
        Column("body", Text, nullable=False),
        UniqueConstraint("token_hash", name="uq_session_token_hash"),
        PrimaryKeyConstraint("transfer", name="pk_session"),
        ForeignKeyConstraint(["transfer"], ["transfer.pid"], name="fk_session_transfer"),
    )
    op.create_table(
        "part",
        Column("transfer", Text, nullable=False),
        Column("n", BIG, nullable=False),
        Column("issue", BIG, nullable=False),
        Column("start", BIG, nullable=True),
        Column("stop", BIG, nullable=True),
        Column("rows", BIG, nullable=False),
        Column("bytes", BIG, nullable=False),
        Column("digest", Text, nullable=False),
        Column("encoder", Text, nullable=True),
        Column("leaf", BIG, nullable=True),
        Column("epoch", BIG, nullable=True),
        Column("withheld", BIG, nullable=True),
        Column("acknowledged", Text, nullable=True),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("transfer", "n", "issue", name="pk_part"),
        ForeignKeyConstraint(["transfer"], ["transfer.pid"], name="fk_part_transfer"),
    )
    op.create_table(
        "manifest",
        Column("transfer", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("receipt", Text, nullable=True),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("transfer", name="pk_manifest"),
        ForeignKeyConstraint(["transfer"], ["transfer.pid"], name="fk_manifest_transfer"),
    )


def _evidence() -> None:
    """The log."""
    op.create_table(
        "leaf",
        Column("idx", BIG, nullable=False, autoincrement=False),
        Column("type", Text, nullable=False),
        Column("agreement", Text, nullable=True),
        Column("n", BIG, nullable=True),
        Column("bytes", LargeBinary, nullable=False),
        Column("shared_body", Text, nullable=True),
        Column("shared_salt", LargeBinary, nullable=True),
        Column("private_body", Text, nullable=True),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("idx", name="pk_leaf"),
    )
    op.create_index("ix_leaf_agreement_type_n", "leaf", ["agreement", "type", "n"], unique=True)
    op.create_table(
        "salt",
        Column("agreement", Text, nullable=False),
        Column("salt", LargeBinary, nullable=False),
        PrimaryKeyConstraint("agreement", name="pk_salt"),
    )
    op.create_table(
        "checkpoint",
        Column("size", BIG, nullable=False, autoincrement=False),
        Column("root", LargeBinary, nullable=False),
        Column("note", Text, nullable=False),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("size", name="pk_checkpoint"),
    )


def _subjects() -> None:
    """People in the data."""
    op.create_table(
        "subject",
        Column("number", BIG, nullable=False, autoincrement=False),
        Column("key", LargeBinary, nullable=False),
        UniqueConstraint("key", name="uq_subject_key"),
        PrimaryKeyConstraint("number", name="pk_subject"),
    )
    op.create_table(
        "alias",
        Column("a", BIG, nullable=False),
        Column("b", BIG, nullable=False),
        Column("source", Text, nullable=False),
        Column("since", Text, nullable=False),
        PrimaryKeyConstraint("a", "b", name="pk_alias"),
        ForeignKeyConstraint(["a"], ["subject.number"], name="fk_alias_a"),
        ForeignKeyConstraint(["b"], ["subject.number"], name="fk_alias_b"),
    )


def _consents() -> None:
    """What people answered."""
    op.create_table(
        "consent_event",
        Column("seq", BIG, nullable=False, autoincrement=False),
        Column("event_id", Text, nullable=False),
        Column("subject", BIG, nullable=False),
        Column("status", Text, nullable=False),
        Column("recipient", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("category", Text, nullable=False),
        Column("at", Text, nullable=False),
        Column("valid_until", Text, nullable=True),
        Column("notice", Text, nullable=True),
        Column("door", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("recorded", Text, nullable=False),
        Column("epoch", BIG, nullable=False),
        Column("salt", LargeBinary, nullable=False),
        UniqueConstraint("event_id", name="uq_consent_event_event_id"),
        PrimaryKeyConstraint("seq", name="pk_consent_event"),
        ForeignKeyConstraint(["subject"], ["subject.number"], name="fk_consent_event_subject"),
    )
    op.create_index("ix_consent_event_epoch", "consent_event", ["epoch"])
    op.create_index(
        "ix_consent_event_recipient_category_epoch",
        "consent_event",
        ["recipient", "category", "epoch"],
    )
    op.create_index(
        "ix_consent_event_recipient_category_subject",
        "consent_event",
        ["recipient", "category", "subject"],
    )
    op.create_index("ix_consent_event_subject", "consent_event", ["subject"])
    op.create_table(
        "tick",
        Column("epoch", BIG, nullable=False, autoincrement=False),
        Column("root", LargeBinary, nullable=False),
        Column("events", BIG, nullable=False),
        Column("leaf", BIG, nullable=True),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("epoch", name="pk_tick"),
    )
