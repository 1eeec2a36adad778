"""Canonical N-Quads of the documents we sign, written without a JSON-LD processor (C3, C4).

Nothing we sign has a blank node, so its RDFC-1.0 form is its set of quads, each written the one
canonical way, sorted. The walker is driven by the term table (`catalog.terms`) and refuses what
the table does not know: a member, a datatype, a value that JSON-LD tools read differently. It
serves our own documents and those of peers alike. The differential tests hold it equal to pyld
and to oxigraph.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

from catalog import terms, values
from catalog.canonical import check
from catalog.documents import unsigned
from catalog.terms import Term
from policies.problem import Problem
from policies.vocabulary import RDF, XSD

TYPE: Final = RDF + "type"
LANG_STRING: Final = RDF + "langString"
STRING: Final = XSD + "string"
_DATATYPES: Final = frozenset(
    XSD + name
    for name in ("string", "integer", "boolean", "decimal", "dateTime", "date", "duration")
)
_ESCAPES: Final = {
    **{ord(c): f"\\u{ord(c):04X}" for c in map(chr, (*range(0x20), 0x7F))},
    **{ord(c): f"\\{name}" for c, name in zip('\t\b\n\r\f"\\', 'tbnrf"\\', strict=True)},
}
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


def of(documents: Iterable[Mapping[str, object]]) -> str:
    """The sorted N-Quads of some documents (proofs left out), every line ended by a newline.

    Raises:
        Problem: `catalog-unfit-…`, with the place.
    """
    quads: set[str] = set()
    for document in documents:
        quads |= quads_of(document)
    return text(quads)


def text(quads: Iterable[str]) -> str:
    """Quads as one text, in the order of RDFC-1.0 (code points)."""
    return "".join(line + "\n" for line in sorted(quads))


def quads_of(document: Mapping[str, object]) -> set[str]:
    """The quads of one document without its proof, each without its newline.

    Raises:
        Problem: `catalog-unfit-…`, with the place.
    """
    written = unsigned(document)
    check(written)
    if written.pop("@context", None) != list(terms.SIGNED):
        raise Problem("catalog-unfit-context")
    return set(_node(written, ""))


def literal(lexical: str, datatype: str = STRING, language: str | None = None) -> str:
    """A literal the canonical way (RDF 1.2 N-Quads, section 4)."""
    quoted = '"' + lexical.translate(_ESCAPES) + '"'
    if language is not None:
        return f"{quoted}@{language}"
    return quoted if datatype == STRING else f"{quoted}^^<{datatype}>"


def _node(node: Mapping[str, object], where: str) -> Iterator[str]:
    subject = _iri(node.get("id"), f"{where}/id")
    for name, value in node.items():
        place = f"{where}/{name}"
        if name == "id":
            continue
        if name == "type":
            for word in value if isinstance(value, list | tuple) else [value]:
                yield f"<{subject}> <{TYPE}> <{_type(word, place)}> ."
            continue
        term = _term(name, place)
        predicate = terms.vocabulary(terms.CONTEXT).expand(term.iri)
        items = value if isinstance(value, list | tuple) else [value]
        for index, item in enumerate(items):
            at = f"{place}/{index}" if isinstance(value, list | tuple) else place
            for shown in _objects(item, term, at):
                yield f"<{subject}> <{predicate}> {shown} ."
            if isinstance(item, Mapping) and "id" in item and term.container != "@language":
                yield from _node(item, at)


def _objects(item: object, term: Term, where: str) -> Iterator[str]:
    """What stands in the third place; a language map is several."""
    if term.container == "@language":
        if not isinstance(item, Mapping):
            raise Problem("catalog-unfit-value", where=where)
        for language, words in item.items():
            yield literal(str(words), language=str(language))
    elif isinstance(item, Mapping):
        yield _object(item, where)
    elif term.type == "@id":
        yield f"<{_iri(item, where)}>"
    elif term.type is None:
        yield _plain(item, where)
    else:
        datatype = terms.vocabulary(terms.CONTEXT).expand(term.type)
        yield literal(_lexical(item, datatype, where), datatype)


def _object(item: Mapping[str, object], where: str) -> str:
    """A nested node, by its name, or a value object."""
    if "id" in item or "value" not in item:
        return f"<{_iri(item.get('id'), where)}>"
    lexical, language = item["value"], item.get("language")
    if language is not None:
        return literal(str(lexical), language=str(language))
    datatype = _type(item.get("type"), where)
    return literal(_lexical(lexical, datatype, where), datatype)


def _plain(item: object, where: str) -> str:
    """A value that no term and no object types: JSON's own kinds (JSON-LD 1.1 API, 8.2)."""
    if isinstance(item, bool):
        return literal("true" if item else "false", XSD + "boolean")
    if isinstance(item, int):
        return literal(str(item), XSD + "integer")
    if isinstance(item, str):
        return literal(item)
    raise Problem("catalog-unfit-literal", where=where, datatype=STRING)


def _lexical(item: object, datatype: str, where: str) -> str:
    """The text of a typed literal, if every tool would write the same one."""
    if datatype not in _DATATYPES:
        raise Problem("catalog-unfit-datatype", where=where, datatype=datatype[:200])
    kind = datatype.removeprefix(XSD)
    if isinstance(item, bool):
        fine, lexical = kind == "boolean", "true" if item else "false"
    elif isinstance(item, int):
        fine, lexical = kind == "integer", str(item)
    elif isinstance(item, str):
        fine, lexical = _spelled(item, kind), item
    else:
        fine, lexical = False, ""
    if not fine:
        raise Problem("catalog-unfit-literal", where=where, datatype=datatype)
    return lexical


def _spelled(lexical: str, kind: str) -> bool:
    """Whether a text is one of a datatype; what an RDF tool would call ill-typed it may drop."""
    if kind == "integer":
        return _INTEGER.fullmatch(lexical) is not None
    if kind == "decimal":
        return _DECIMAL.fullmatch(lexical) is not None
    if kind == "boolean":
        return lexical in ("true", "false")
    if kind == "duration":
        return values.is_duration(lexical)
    return True


def _iri(value: object, where: str) -> str:
    """An absolute IRI, written in full or with a prefix of our context."""
    if isinstance(value, str):
        full = _expanded(value)
        if values.is_iri(full):
            return full
    raise Problem("catalog-unfit-iri", where=where)


def _type(word: object, where: str) -> str:
    """A class or datatype: a word of the table, or an IRI."""
    table = terms.vocabulary(terms.CONTEXT)
    if isinstance(word, str) and word in table.terms:
        return table.expand(table.terms[word].iri)
    return _iri(word, where)


def _expanded(iri: str) -> str:
    prefix, colon, rest = iri.partition(":")
    return _prefixes()[prefix] + rest if colon and prefix in _prefixes() else iri


@cache
def _prefixes() -> Mapping[str, str]:
    return terms.vocabulary(terms.CONTEXT).prefixes


def _term(name: str, where: str) -> Term:
    term = terms.vocabulary(terms.CONTEXT).terms.get(name)
    if term is None or term.iri.startswith("@"):
        raise Problem(
            "catalog-unfit-term", where=where.removesuffix(f"/{name}") or "/", name=name[:80]
        )
    return term
