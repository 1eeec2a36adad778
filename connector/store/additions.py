"""Rows that are only added: they wait within their transaction and go in few statements.

A statement costs the driver, and the interpreter's lock around it, far more than the database. So
a unit tells what is to be added (`Tx.add`). The rows of a table are written together, those of all
units that share the transaction, before any other statement touches the table and at the latest
before the commit; what is wrong with one of them (`store-integrity`) is found then.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, bindparam, func, insert, literal_column, select

from connector.store.statement import DialectName, Statement

MOST: Final = 16
"""Rows of one statement. Each number of rows has a text of its own, which the driver prepares."""

_AHEAD: Final = "ahead"
_PARAMETER: Final = re.compile(r"%\((\w+)\)s|(?<!:):(\w+)")
_BLANK: Final[Mapping[DialectName, str]] = {"sqlite": "?", "postgresql": "%s"}

Values = Mapping[str, Any]


class Addition:
    """How the rows of one table are added; there is one way for each table."""

    __slots__ = ("_names", "_one", "_texts", "key", "table")

    def __init__(self, table: Table, one: Statement | None = None, key: Sequence[str] = ()) -> None:
        """`one` adds one row, as it is if nothing else is said; of rows with one `key` only the
        last counts.
        """
        self.table = table.name
        self._one = one or Statement(insert(table))
        self.key = tuple(key)
        self._names: tuple[str, ...] = ()
        self._texts: dict[tuple[DialectName, int], str] = {}

    @classmethod
    def numbered(cls, table: Table) -> "Addition":
        """Under the next numbers (`seq`) of the table, in the order in which they are added."""
        last = select(func.coalesce(func.max(table.c.seq), literal_column("0"))).scalar_subquery()
        values = {column.name: bindparam(column.name, type_=column.type) for column in table.c}
        values["seq"] = last + bindparam(_AHEAD)  # type: ignore[assignment]
        return cls(table, Statement(insert(table).values(values).inline()))

    def place(self, row: Values) -> object:
        """The key of a row."""
        return tuple(row[name] for name in self.key)

    def filled(self, dialect: DialectName, rows: Sequence[Values]) -> tuple[str, list[Any]]:
        """The statement that adds all these rows, and its parameters by position."""
        key = (dialect, len(rows))
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._text(dialect, len(rows))
        if _AHEAD in self._names:
            rows = [{**row, _AHEAD: n} for n, row in enumerate(rows, start=1)]
        return text, [row[name] for row in rows for name in self._names]

    def _text(self, dialect: DialectName, count: int) -> str:
        head, _, rest = self._one.compiled(dialect).sql.partition(" VALUES ")
        row, clause, tail = rest.partition(" ON CONFLICT ")
        self._names = tuple(match[1] or match[2] for match in _PARAMETER.finditer(row))
        blank = _PARAMETER.sub(_BLANK[dialect], row)
        return f"{head} VALUES {', '.join([blank] * count)}{clause}{tail}"
