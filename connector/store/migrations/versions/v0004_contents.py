"""What never changes is written once: bodies of messages and terms get a table of their own.

Four tables name them by number from now on. Each is copied aside, made anew and filled from its
copy, so that both databases end with the same schema.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    insert,
    literal_column,
    select,
    text,
)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = BigInteger().with_variant(Integer(), "sqlite")
SHARED = literal_column("digest").is_not(None)
PENDING = literal_column("state") == literal_column("'pending'")
CHUNK = 500
METADATA = MetaData()

CONTENT = Table(
    "content",
    METADATA,
    Column("n", BIG, nullable=False, autoincrement=False),
    Column("digest", Text, nullable=True),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("n", name="pk_content"),
    Index(
        "ix_content_digest",
        "digest",
        unique=True,
        sqlite_where=SHARED,
        postgresql_where=SHARED,
    ),
)
NEGOTIATION = Table(
    "negotiation",
    METADATA,
    Column("pid", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("peer_pid", Text, nullable=True),
    Column("state", Text, nullable=False),
    Column("version", BIG, nullable=False),
    Column("body", Text, nullable=False),
    Column("offer", BIG, nullable=False),
    Column("application", BIG, nullable=True),
    Column("agreement", BIG, nullable=True),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    PrimaryKeyConstraint("pid", name="pk_negotiation"),
    Index("ix_negotiation_peer_peer_pid", "peer", "peer_pid"),
)
AGREEMENT = Table(
    "agreement",
    METADATA,
    Column("id", Text, nullable=False),
    Column("negotiation", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("document", BIG, nullable=False),
    Column("digest", Text, nullable=False),
    Column("provider_proof", Text, nullable=True),
    Column("consumer_proof", Text, nullable=True),
    Column("plan", BIG, nullable=True),
    Column("plan_digest", Text, nullable=True),
    Column("application", BIG, nullable=True),
    Column("dataset_document", BIG, nullable=True),
    Column("wire", BIG, nullable=True),
    Column("did", BIG, nullable=True),
    Column("peer_did", BIG, nullable=True),
    Column("expires", Text, nullable=True),
    Column("body", Text, nullable=False),
    Column("created", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_agreement"),
    UniqueConstraint("negotiation", name="uq_agreement_negotiation"),
    ForeignKeyConstraint(["negotiation"], ["negotiation.pid"], name="fk_agreement_negotiation"),
)
MESSAGE = Table(
    "message",
    METADATA,
    Column("seq", BIG, nullable=False, autoincrement=False),
    Column("process", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", BIG, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("seq", name="pk_message"),
    Index("ix_message_process", "process"),
)
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("seq", BIG, nullable=False, autoincrement=False),
    Column("process", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", BIG, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", BIG, nullable=False),
    Column("next_at", Text, nullable=False),
    Column("lease_until", Text, nullable=True),
    Column("deadline", Text, nullable=True),
    Column("answer_status", BIG, nullable=True),
    Column("answer", LargeBinary, nullable=True),
    Column("created", Text, nullable=False),
    PrimaryKeyConstraint("seq", name="pk_outbox"),
    Index("ix_outbox_process_seq", "process", "seq"),
    Index(
        "ix_outbox_pending",
        "process",
        "seq",
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    ),
)

Row = dict[str, Any]


class Contents:
    """Numbers the contents as they come; those with a digest once each."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = 0
        self._shared: dict[str, int] = {}

    def put(self, body: bytes, digest: str | None = None) -> int:
        """The number of a new content."""
        self._last += 1
        row = {"n": self._last, "digest": digest, "body": body}
        self._connection.execute(insert(CONTENT), row)
        return self._last

    def share(self, body: bytes) -> int:
        """The number of a content that many rows name."""
        digest = "sha-256:" + hashlib.sha256(body).hexdigest()
        if digest not in self._shared:
            self._shared[digest] = self.put(body, digest)
        return self._shared[digest]

    def same(self, number: int | None, body: bytes) -> int:
        """The number given if that content says the same, or one of its own."""
        if number is not None:
            found = select(CONTENT.c.body).where(CONTENT.c.n == number)
            if json.loads(self._connection.execute(found).scalar_one()) == json.loads(body):
                return number
        return self.put(body)


def upgrade() -> None:
    connection = op.get_bind()
    references = (("attempt", "outbox", "seq"), ("transfer", "agreement", "id"))
    # SQLite refers by name, to whichever table has it; PostgreSQL to the table that is dropped.
    enforced = connection.dialect.name == "postgresql"
    for source, target, _ in references if enforced else ():
        op.drop_constraint(f"fk_{source}_{target}", source)
    for table in (AGREEMENT, NEGOTIATION, OUTBOX, MESSAGE):
        name, key = table.name, next(iter(table.primary_key)).name
        op.execute(f"CREATE TABLE held_{name} AS SELECT * FROM {name}")  # noqa: S608  (our own names)
        op.execute(f"CREATE INDEX held_{name}_key ON held_{name} ({key})")
        op.drop_table(name)
    op.drop_index("ix_inbox_at", "inbox")  # nobody asked by it: answers are kept as what they were
    METADATA.create_all(connection)
    contents = Contents(connection)
    for table, moved in (
        (MESSAGE, _message),
        (OUTBOX, _outbox),
        (NEGOTIATION, _negotiation),
        (AGREEMENT, _agreement),
    ):
        for rows in _held(connection, table):
            connection.execute(insert(table), [moved(connection, contents, row) for row in rows])
        op.drop_table(f"held_{table.name}")
    for source, target, key in references if enforced else ():
        op.create_foreign_key(f"fk_{source}_{target}", source, target, [target], [key])


def _held(connection: Connection, table: Table) -> Iterator[list[Row]]:
    """The rows that were, some at a time, in the order of their key."""
    key = next(iter(table.primary_key)).name
    after: object = "" if isinstance(table.c[key].type, Text) else -1
    query = text(
        f"SELECT * FROM held_{table.name} WHERE {key} > :after ORDER BY {key} LIMIT {CHUNK}"  # noqa: S608  (our own names)
    )
    while rows := [dict(row) for row in connection.execute(query, {"after": after}).mappings()]:
        yield rows
        after = rows[-1][key]


def _message(_: Connection, contents: Contents, row: Row) -> Row:
    return {**row, "body": contents.put(bytes(row["body"]))}


def _outbox(connection: Connection, contents: Contents, row: Row) -> Row:
    """What waits or was sent is a message that is kept, unless that is kept without a secret."""
    body = bytes(row["body"])
    digest = "sha-256:" + hashlib.sha256(body).hexdigest()
    kept = select(MESSAGE.c.body).where(
        MESSAGE.c.process == row["process"], MESSAGE.c.digest == digest
    )
    number = connection.execute(kept.limit(1)).scalar()
    return {**row, "body": number or contents.put(body)}


def _negotiation(_: Connection, contents: Contents, row: Row) -> Row:
    body = json.loads(row["body"])
    terms = {name: body.pop(name) for name in ("offer", "application", "agreement")}
    numbers = {name: _put(contents, term) for name, term in terms.items()}
    return {**row, **numbers, "body": _written(body)}


def _agreement(connection: Connection, contents: Contents, row: Row) -> Row:
    body = json.loads(row["body"])
    rest = {name: body.pop(name, None) for name in ("wire", "did", "peer_did")}
    terms = connection.execute(
        select(NEGOTIATION.c.application, NEGOTIATION.c.agreement).where(
            NEGOTIATION.c.pid == row["negotiation"]
        )
    ).one()
    told: Mapping[str, str | None] = {
        **{name: row[name] for name in ("document", "plan", "application", "dataset_document")},
        **{name: None if part is None else _written(part) for name, part in rest.items()},
    }
    numbers: dict[str, int | None] = {}
    for name, written in told.items():
        if written is None:
            numbers[name] = None
        elif name in {"dataset_document", "did", "peer_did"}:
            numbers[name] = contents.share(written.encode())
        elif name in {"application", "wire"}:
            known = terms.application if name == "application" else terms.agreement
            numbers[name] = contents.same(known, written.encode())
        else:
            numbers[name] = contents.put(written.encode())
    return {**row, **numbers, "body": _written(body)}


def _put(contents: Contents, term: object) -> int | None:
    return None if term is None else contents.put(_written(term).encode())


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
