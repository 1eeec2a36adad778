"""Verified documents as Turtle, RDF/XML or N-Triples, without a changed character (C4).

rdflib gets nothing but our own N-Quads, with its rewriting of literals switched off (it would
write signed dates another way), and what it wrote is read again and compared before anybody sees
it. Imported by commands only: a running node holds no RDF library.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from catalog import nquads, terms
from policies.problem import Problem

if TYPE_CHECKING:
    from rdflib import Graph

FORMATS: Final[Mapping[str, str]] = {"ttl": "turtle", "nt": "nt", "xml": "xml"}


def export(documents: Iterable[Mapping[str, object]], form: str) -> bytes:
    """The documents' statements (proofs left out) in one of `FORMATS`, UTF-8.

    Raises:
        Problem: `catalog-export-format`, `catalog-unfit-…`, `catalog-export-differs` (the text
            would not say exactly what was signed).
    """
    if form not in FORMATS:
        raise Problem("catalog-export-format", allowed=", ".join(FORMATS))
    quads = nquads.of(documents)
    if form == "nt":
        # Our quads name no graph: as N-Triples they are the same text.
        return quads.encode()
    loaded = graph(quads)
    for prefix, base in terms.vocabulary(terms.CONTEXT).prefixes.items():
        loaded.bind(prefix, base)
    written = loaded.serialize(format=FORMATS[form], encoding="utf-8")
    if quads_of(_read(written, FORMATS[form])) != quads:
        raise Problem("catalog-export-differs", format=form)
    return written


def graph(quads: str) -> "Graph":
    """An rdflib graph that holds exactly these N-Triples."""
    return _read(quads.encode(), "nt")


def quads_of(loaded: "Graph") -> str:
    """The canonical N-Quads of an rdflib graph without blank nodes.

    Raises:
        Problem: `catalog-export-blank`.
    """
    return nquads.text({f"{written(s)} {written(p)} {written(o)} ." for s, p, o in loaded})


def _read(data: bytes, form: str) -> "Graph":
    import rdflib

    rdflib.NORMALIZE_LITERALS = False
    # No store but memory, and no prefixes beyond those that the data use.
    loaded = rdflib.Graph(bind_namespaces="none")
    return loaded.parse(data=data, format=form)


def written(found: Any) -> str:  # noqa: ANN401  (rdflib's terms are imported on use)
    """An rdflib IRI or literal as canonical N-Quads spell it.

    Raises:
        Problem: `catalog-export-blank`.
    """
    from rdflib import Literal as RdfLiteral
    from rdflib import URIRef

    if isinstance(found, URIRef):
        return f"<{found}>"
    if not isinstance(found, RdfLiteral):
        raise Problem("catalog-export-blank")
    datatype = str(found.datatype) if found.datatype else nquads.STRING
    return nquads.literal(str(found), datatype, found.language)
