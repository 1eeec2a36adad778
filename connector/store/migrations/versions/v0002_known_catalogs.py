"""What peers publish, as far as this node has fetched and verified it."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "crawl",
        Column("peer", Text, nullable=False),
        Column("tried", Text, nullable=False),
        Column("verified", Text, nullable=True),
        Column("problem", Text, nullable=True),
        PrimaryKeyConstraint("peer", name="pk_crawl"),
    )
    op.create_table(
        "known_head",
        Column("peer", Text, nullable=False),
        Column("grp", Text, nullable=False),
        Column("version", BIG, nullable=False),
        Column("digest", Text, nullable=False),
        Column("etag", Text, nullable=True),
        Column("did_document", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("peer", "grp", name="pk_known_head"),
    )
    op.create_table(
        "known_dataset",
        Column("peer", Text, nullable=False),
        Column("iri", Text, nullable=False),
        Column("grp", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("card", Text, nullable=False),
        PrimaryKeyConstraint("peer", "iri", name="pk_known_dataset"),
    )
