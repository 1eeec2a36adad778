"""SPARQL over verified copies, for people who know it: read-only, offline, bounded (C4).

A query is somebody's text. Before it runs, its parse tree is walked and everything that could
reach beyond the given documents is refused: SERVICE wherever it hides, FROM, functions named by
IRI, every form but SELECT, ASK and CONSTRUCT. Then it runs in a child process (`catalog.sandbox`)
whose time, processor time and memory are limited and which can open neither socket nor file: a
Cartesian product is no syntax error. The parent never imports the RDF library.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from catalog import nquads
from policies.problem import Problem

MAX_DATASETS: Final = 5_000
MAX_QUERY: Final = 20_000
ALLOWED: Final = frozenset({"SelectQuery", "AskQuery", "ConstructQuery"})
_CHILD: Final = "catalog.sandbox"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use. `seconds` (of processor time) begin when the documents are loaded.

    `wall` bounds everything; loading takes up to half a minute for 5,000 documents and more on a
    busy machine.
    """

    seconds: int = 30
    wall: float = 300.0
    memory: int = 3 * 2**30
    rows: int = 10_000
    size: int = 32 * 2**20


def run(
    query: str, documents: Sequence[Mapping[str, object]], limits: Limits | None = None
) -> dict[str, Any]:
    """The answer of a query over these documents, as plain JSON.

    `{"v": 1, "form": "select", "vars", "rows", "truncated"}`, a row being {variable: {"type",
    "value", "datatype"?, "lang"?}} as in the SPARQL JSON results; `{"form": "ask", "answer"}`; or
    `{"form": "construct", "triples", "truncated"}` with N-Triples.

    Raises:
        Problem: `catalog-query-…`, `catalog-unfit-…`.
    """
    bounds = limits or Limits()
    if len(query) > MAX_QUERY:
        raise Problem("catalog-query-long", limit=MAX_QUERY)
    if len(documents) > MAX_DATASETS:
        raise Problem("catalog-query-many", found=len(documents), limit=MAX_DATASETS)
    order = json.dumps({"query": query, **asdict(bounds)}).encode() + b"\n"
    done = _child(order + nquads.of(documents).encode(), bounds)
    try:
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        # Ended by the kernel (processor time, memory) before it could say so itself.
        raise Problem("catalog-query-limit", seconds=bounds.seconds)
    if "problem" in answer:
        raise Problem(answer["problem"]["code"], **answer["problem"]["params"])
    return dict(answer["result"])


def check(query: str) -> Any:  # noqa: ANN401  (the parser's own tree)
    """The parse tree of a query that may run. Imports rdflib: for the child, and for tests.

    Raises:
        Problem: `catalog-query-syntax`, `catalog-query-form`, `catalog-query-service`,
            `catalog-query-from`, `catalog-query-function`.
    """
    from rdflib.plugins.sparql.parser import parseQuery

    try:
        tree = parseQuery(query)
        form = tree[1].name
    except Exception as fault:  # noqa: BLE001  (pyparsing's own, recursion, odd escapes …)
        place = getattr(fault, "loc", None)
        raise Problem("catalog-query-syntax", place="?" if place is None else place) from None
    if form not in ALLOWED:
        raise Problem("catalog-query-form", form=str(form).removesuffix("Query")[:40])
    _walk(tree)
    return tree


def _walk(node: object) -> None:
    """Every part of a parse tree, in whatever container the parser put it."""
    todo: list[Any] = [node]
    while todo:
        part = todo.pop()
        name = getattr(part, "name", None)
        if name == "ServiceGraphPattern":
            raise Problem("catalog-query-service")
        if name == "DatasetClause":
            raise Problem("catalog-query-from")
        if name == "Function":
            raise Problem("catalog-query-function")
        if hasattr(part, "as_list"):
            # pyparsing's results say they are mappings, and hold unnamed parts all the same
            todo.extend(part)
        if isinstance(part, Mapping):
            todo.extend(part.values())
        elif isinstance(part, list | tuple | set | frozenset):
            todo.extend(part)


def _child(order: bytes, bounds: Limits) -> "subprocess.CompletedProcess[bytes]":
    """Run the sandbox with nothing of our environment but where Python finds its modules."""
    environment = {
        "PYTHONPATH": os.pathsep.join(place for place in sys.path if place),
        # The same question over the same copies gets the same answer, in the same order.
        "PYTHONHASHSEED": "0",
    }
    try:
        return subprocess.run(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-P", "-m", _CHILD],
            input=order,
            capture_output=True,
            env=environment,
            timeout=bounds.wall,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Problem("catalog-query-limit", seconds=bounds.seconds) from None
