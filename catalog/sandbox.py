"""The child process in which a query runs (`catalog.query` starts it, nothing else should).

It reads one line of JSON (the query and its limits) and N-Triples from standard input, and writes
one JSON object to standard output. The order matters: bounds on memory and processor time first,
then the query is parsed and checked, the data loaded, everything imported that an evaluation may
ask for; then the doors close (no descriptor can be opened any more, so no socket and no file, and
an audit hook refuses what might still leave), and only then somebody's query is evaluated.
"""

import json
import resource
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from catalog import terms
from catalog.export import graph, written
from catalog.nquads import text
from catalog.query import check
from policies.problem import Problem

if TYPE_CHECKING:
    from rdflib import Graph

_LOADING: Final = 240
"""Seconds of processor time for everything before the evaluation."""
_STANDARD_STREAMS: Final = 3
_REFUSED: Final = (
    *("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork"),
    *("os.remove", "os.rename", "os.mkdir", "shutil.", "ctypes.", "urllib.", "ftplib.", "http."),
    *("smtplib.", "open"),
)
# One query that touches what evaluations import on first use.
_WARMING: Final = """
SELECT ?s (COUNT(DISTINCT ?o) AS ?n) (GROUP_CONCAT(STR(?o)) AS ?c) (SAMPLE(?p) AS ?x)
       (SUM(1) AS ?a) (AVG(1.5) AS ?b) (MIN(?o) AS ?d) (MAX(?o) AS ?e)
WHERE {
  { VALUES (?s ?p ?o) { (<urn:a> <urn:b> "2026-01-01T00:00:00Z"^^xsd:dateTime) } }
  UNION { <urn:a> <urn:p>/<urn:q>*|^<urn:r>+ ?s . OPTIONAL { ?s !<urn:p> ?o } }
  MINUS { ?s <urn:c> ?o }
  FILTER(REGEX(STR(?s), "a", "i") && EXISTS { ?s ?p ?o } || YEAR(?o) > 1 || ?o < NOW())
  BIND(REPLACE(SHA256(UCASE(STR(?s))), "a", "b") AS ?h) BIND(STRUUID() AS ?u) BIND(RAND() AS ?r)
  BIND(MD5(STRLANG("a", "fr")) AS ?m) BIND(ENCODE_FOR_URI("é") AS ?i) BIND(BNODE() AS ?k)
  BIND("P1Y"^^xsd:duration AS ?dur) BIND("1.5"^^xsd:decimal + 1 AS ?dec) BIND(TZ(NOW()) AS ?tz)
} GROUP BY ?s HAVING (COUNT(?o) >= 0) ORDER BY DESC(?s) LIMIT 5 OFFSET 0
"""


def main() -> None:
    """Serve one order on standard input."""
    line, _, data = sys.stdin.buffer.read().partition(b"\n")
    order = json.loads(line)
    try:
        answer = {"result": _answer(order, data.decode())}
    except Problem as problem:
        answer = {"problem": {"code": problem.code, "params": problem.params}}
    except MemoryError:
        answer = {"problem": {"code": "catalog-query-limit", "params": _seconds(order)}}
    sys.stdout.write(json.dumps(answer))


def _seconds(order: dict[str, Any]) -> dict[str, Any]:
    return {"seconds": order["seconds"]}


def _answer(order: dict[str, Any], data: str) -> dict[str, Any]:
    _bound(order["memory"])
    check(order["query"])
    loaded = graph(data)
    _warm()
    _close(order["seconds"])
    return _evaluate(loaded, order)


def _bound(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (_LOADING, hard))


def _warm() -> None:
    graph("<urn:a> <urn:b> <urn:c> .\n").query(_WARMING, initNs=_prefixes()).bindings  # noqa: B018
    graph("").query("CONSTRUCT WHERE { ?s ?p ?o }").graph  # noqa: B018  (evaluated when asked)


def _close(seconds: int) -> None:
    """No descriptor, no program, and so much processor time from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, until))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_STANDARD_STREAMS, _STANDARD_STREAMS))
    sys.addaudithook(_refuse)


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(event)


def _evaluate(loaded: "Graph", order: dict[str, Any]) -> dict[str, Any]:
    try:
        found = loaded.query(order["query"], initNs=_prefixes(), DEBUG=False)
        if found.type == "ASK":
            return {"v": 1, "form": "ask", "answer": bool(found.askAnswer)}
        if found.type == "CONSTRUCT":
            return _constructed(found.graph, order)
        return _selected(found, order)
    except (MemoryError, Problem):
        raise
    except Exception as fault:  # noqa: BLE001  (rdflib's evaluation fails in many ways of its own)
        raise Problem("catalog-query-failed", fault=type(fault).__name__) from None


def _selected(found: Any, order: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  (rdflib's)
    names = [str(name) for name in found.vars or []]
    rows, truncated = _bounded(
        (
            {
                str(name): _shown(value)
                for name, value in binding.items()
                if value is not None and str(name) in names
            }
            for binding in found.bindings
        ),
        order,
    )
    return {"v": 1, "form": "select", "vars": names, "rows": rows, "truncated": truncated}


def _constructed(made: Any, order: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  (rdflib's)
    lines = (" ".join(map(_written, triple)) + " ." for triple in made)
    kept, truncated = _bounded(lines, order)
    return {"v": 1, "form": "construct", "triples": text(kept), "truncated": truncated}


def _bounded(items: Iterable[Any], order: dict[str, Any]) -> tuple[list[Any], bool]:
    """As many items as the limits allow, and whether that was not all."""
    kept: list[Any] = []
    size = 0
    for item in items:
        size += len(json.dumps(item))
        if len(kept) == order["rows"] or size > order["size"]:
            return kept, True
        kept.append(item)
    return kept, False


def _shown(value: Any) -> dict[str, str]:  # noqa: ANN401  (an rdflib term)
    """A term as the SPARQL 1.1 JSON results spell it."""
    from rdflib import BNode, Literal, URIRef

    if isinstance(value, URIRef):
        return {"type": "uri", "value": str(value)}
    if isinstance(value, BNode):
        return {"type": "bnode", "value": str(value)}
    shown = {"type": "literal", "value": str(value)}
    if isinstance(value, Literal) and value.language:
        shown["xml:lang"] = value.language
    elif isinstance(value, Literal) and value.datatype:
        shown["datatype"] = str(value.datatype)
    return shown


def _written(value: Any) -> str:  # noqa: ANN401  (an rdflib term)
    """A term as N-Triples spell it."""
    from rdflib import BNode

    return f"_:{value}" if isinstance(value, BNode) else written(value)


def _prefixes() -> dict[str, str]:
    return dict(terms.vocabulary(terms.CONTEXT).prefixes)


if __name__ == "__main__":
    main()
