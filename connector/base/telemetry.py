"""Logging: one JSON object a line on standard error, with nothing personal in it.

Constitution 6: no log line holds an identifier of a person, a secret, a token or a row. The
formatter therefore writes only the event's name and the fields given as `extra={"fields": {...}}`;
of foreign libraries the logger's name, never their messages. The messages of our own rooms
(`connector.…`) are made of codes, counts and institutions, and are written whole.
"""

import json
import logging
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

LOGGER: Final = logging.getLogger("preau")
_OURS: Final = (LOGGER.name, "connector.")
COUNTS: Final[Counter[tuple[str, str]]] = Counter()
"""Events of this process that bear a code, by name and code (for `/metrics`)."""


class JsonFormatter(logging.Formatter):
    """One line of JSON: time, level, event, fields, and the type of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; an exception shows its type and place, not its message."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if record.name.startswith(_OURS) else record.name,
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line.update(fields)
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["at"] = _place(record)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: int = logging.INFO) -> None:
    """Send every log line of the process through the JSON formatter."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(level)


def event(name: str, **fields: object) -> None:
    """Record that something happened. Fields are names, counts, states: never personal data."""
    if "code" in fields:
        COUNTS[name, str(fields["code"])] += 1
    LOGGER.info(name, extra={"fields": fields})


def failure(name: str, error: BaseException | None = None, **fields: object) -> None:
    """Record that something went wrong; `error` adds its type and place."""
    info = (type(error), error, error.__traceback__) if error is not None else None
    LOGGER.error(name, exc_info=info, extra={"fields": fields})


def _place(record: logging.LogRecord) -> str:
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
