"""Shapes of query that the repositories share."""

from typing import Any, Protocol

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
)

from connector.store.statement import Inserting, Statement
from connector.store.tx import Row, Tx


class Rows(Protocol):
    """What is asked for when whole rows are: `codec.Codec`, `contents.Apart`."""

    columns: tuple[Column[Any], ...]
    source: FromClause


def chosen(rows: Rows, *where: ColumnElement[bool]) -> Select[Any]:
    """Whole rows that meet every condition."""
    return select(*rows.columns).select_from(rows.source).where(*where)


def given(column: Column[Any]) -> ColumnElement[bool]:
    """The column equals the parameter of its own name."""
    return column == bindparam(column.name)


def by(rows: Rows, *columns: Column[Any]) -> Statement:
    """Whole rows by the parameters named like these columns."""
    return Statement(chosen(rows, *(given(column) for column in columns)))


def adding(table: Table) -> Statement:
    """Insert a row; one that exists already is a Problem `store-integrity`."""
    return Statement(insert(table))


def adding_once(table: Table, *key: str) -> Statement:
    """Insert a row unless its key exists: `tx.change` says 1 or 0."""
    return Statement(lambda make: make(table).on_conflict_do_nothing(index_elements=list(key)))


def putting(table: Table) -> Statement:
    """Insert a row, or give the one with its primary key all other columns."""

    def build(make: Inserting) -> Any:  # noqa: ANN401  (each database has its own class)
        insertion = make(table)
        key = [column.name for column in table.primary_key]
        others = [column.name for column in table.columns if column.name not in key]
        return insertion.on_conflict_do_update(
            index_elements=key, set_={name: insertion.excluded[name] for name in others}
        )

    return Statement(build)


def removing(table: Table, *where: ColumnElement[bool]) -> Statement:
    """Delete the rows that meet every condition: `tx.change` says how many."""
    return Statement(delete(table).where(*where))


def following(column: Column[Any], *where: ColumnElement[bool], first: int = 1) -> Select[Any]:
    """One more than the greatest number so far; there is one writer, so nobody takes it first."""
    after = func.max(column) + literal_column("1")
    return select(func.coalesce(after, literal_column(str(first)))).where(*where)


def next_number(column: Column[Any], *where: ColumnElement[bool], first: int = 1) -> Statement:
    """The statement that asks for `following` alone."""
    return Statement(following(column, *where, first=first))


def value(row: Row | None) -> Any:  # noqa: ANN401  (whatever the column holds)
    """The only column of the only row; None without a row."""
    return None if row is None else row[0]


def adding_numbered(table: Table, *told: Column[Any], **made: ColumnElement[Any]) -> Statement:
    """Insert a row under the next `seq` of its table, and tell it and the columns `told`
    (`numbered`); what is not given by a parameter is `made` by the database.
    """
    seq = table.c.seq
    columns = [column for column in table.columns if column is not seq]
    given = (made.get(c.name, bindparam(c.name, type_=c.type)) for c in columns)
    numbered = select(following(seq).scalar_subquery(), *given)
    return Statement(insert(table).from_select([seq, *columns], numbered).returning(seq, *told))


def numbered(tx: Tx, add: Statement, values: dict[str, Any]) -> int:
    """Insert a row by `adding_numbered`, whatever its own `seq`; the number it got."""
    return int(added(tx, add, values)[0])


def added(tx: Tx, add: Statement, values: dict[str, Any]) -> Row:
    """As `numbered`: the number, and whatever else the statement tells."""
    return tx.run(add, **{name: one for name, one in values.items() if name != "seq"})[0]
