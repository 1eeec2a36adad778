"""A query, written once with SQLAlchemy Core and turned into plain SQL once per database.

Core's executor costs three to eight times the query itself, so it never runs: a `Statement` keeps
the compiled text, the names of its parameters and the literals the compiler moved out of it, and
the driver executes that. All statements of the process are known (`statements()`), so that a node
can have each of them prepared by its database before it promises anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from sqlalchemy import LargeBinary, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.visitors import iterate

if TYPE_CHECKING:
    from sqlalchemy.dialects import sqlite

DialectName = Literal["sqlite", "postgresql"]
Inserting = Callable[[Table], "sqlite.Insert"]


@cache
def _dialect(name: DialectName) -> tuple[Dialect, Inserting]:
    """A database's way to spell statements; a node loads only that of its own database."""
    if name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415
        from sqlalchemy.dialects.sqlite.base import SQLiteDialect  # noqa: PLC0415

        return SQLiteDialect(paramstyle="named"), sqlite.insert
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg  # noqa: PLC0415

    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    dialect.colspecs = {**dialect.colspecs, LargeBinary: _Bytes}
    # Same methods, other class: what the databases call ON CONFLICT is spelled alike.
    return dialect, cast("Inserting", postgresql.insert)


class _Bytes(LargeBinary):
    """Bytes whose type is written beside the parameter, as PostgreSQL's texts and numbers have it:
    a NULL alone tells no type.
    """

    render_bind_cast = True


_STATEMENTS: Final[list["Statement"]] = []


@dataclass(frozen=True, slots=True)
class Compiled:
    """The text for one database: what the caller gives (`names`) and what is fixed (`literals`).

    `tables` are those it reads or changes.
    """

    sql: str
    names: frozenset[str]
    literals: Mapping[str, object]
    tables: frozenset[str]

    def bind(self, params: Mapping[str, object]) -> Mapping[str, object]:
        """The driver's parameters.

        Raises:
            TypeError: a parameter is missing or unknown (a mistake in the calling code).
        """
        if params.keys() != self.names:
            odd = sorted(self.names ^ params.keys())
            raise TypeError(f"parameters {odd} do not fit: {self.sql}")
        return {**self.literals, **params} if self.literals else params


class Statement:
    """One query of the store: a Core construct, or a function of the database's own `insert`.

    The second form is for `ON CONFLICT`, which Core spells per database:
    `Statement(lambda insert: insert(TABLE).on_conflict_do_nothing())`.

    Before a statement runs, the rows that wait for its tables are written; not so before one that
    is `beside` them: who asks knows what waits, and looks for none of it.
    """

    __slots__ = ("_compiled", "_source", "beside")

    def __init__(
        self,
        source: ClauseElement | Callable[[Inserting], ClauseElement],
        *,
        beside: bool = False,
    ) -> None:
        self._source = source
        self.beside = beside
        self._compiled: dict[DialectName, Compiled] = {}
        _STATEMENTS.append(self)

    def compiled(self, dialect: DialectName) -> Compiled:
        """The text for a database; compiled at the first call, kept for good."""
        known = self._compiled.get(dialect)
        if known is None:
            known = self._compiled[dialect] = self._compile(dialect)
        return known

    def _compile(self, name: DialectName) -> Compiled:
        dialect, insert = _dialect(name)
        source = self._source
        construct = source if isinstance(source, ClauseElement) else source(insert)
        compiled = construct.compile(dialect=dialect)
        params: dict[str, Any] = dict(compiled.params)
        # `column + 1` becomes a parameter that no caller knows: its value travels along.
        # (A NULL that is meant must be written `null()`: here None is what the caller gives.)
        literals = {key: value for key, value in params.items() if value is not None}
        tables = {part.name for part in iterate(construct) if isinstance(part, Table)}
        names = params.keys() - literals.keys()
        return Compiled(str(compiled), frozenset(names), literals, frozenset(tables))


def statements() -> tuple[Statement, ...]:
    """Every statement of the modules imported so far."""
    return tuple(_STATEMENTS)
