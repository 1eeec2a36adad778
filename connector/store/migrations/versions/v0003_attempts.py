"""Each attempt to deliver a message, with what the peer answered."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attempt",
        Column("outbox", BIG, nullable=False),
        Column("n", BIG, nullable=False),
        Column("at", Text, nullable=False),
        Column("status", BIG, nullable=True),
        Column("problem", Text, nullable=True),
        Column("answer", LargeBinary, nullable=True),
        Column("next_at", Text, nullable=True),
        PrimaryKeyConstraint("outbox", "n", name="pk_attempt"),
        ForeignKeyConstraint(["outbox"], ["outbox.seq"], name="fk_attempt_outbox"),
    )
