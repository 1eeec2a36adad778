"""The words of our documents: term tables, and the JSON-LD contexts generated from them (M1).

Four vocabularies: ours, the Dataspace Protocol 2025-1, its ODRL profile, Data Integrity v2. Each
is a table in the notation below (`catalog.vocabularies`); the context documents are generated
from it, pinned by the digest of their JCS form, and never fetched. Tests hold each generated
document deep-equal to its original.

Notation, one term a line; indented lines are the terms that hold inside that type or term:

    NAME [IRI] [=KEYWORD] [@id | @vocab | ^DATATYPE] [* | @language | @graph] [{}] [+ | -] [GROUP…]

The IRI is a prefixed or full one and defaults to the vocabulary's own. `*` is a set, `{}` asks
for the object form where a string would do, `+` opens a protected scope and `-` a bare one;
a `&group` stands for the lines of that group, `&odrl` imports the ODRL profile.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from catalog import vocabularies
from policies.jcs import digest

CONTEXT: Final = "https://w3id.org/preau/ns"
DSP_CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
ODRL_PROFILE: Final = "https://w3id.org/dspace/2025/1/odrl-profile.jsonld"
DATA_INTEGRITY: Final = "https://w3id.org/security/data-integrity/v2"
SIGNED: Final = (CONTEXT, DATA_INTEGRITY)
"""The `@context` of every linked document that we sign, in this order."""

_CONTAINERS: Final = {"*": "@set", "@language": "@language", "@graph": "@graph"}


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its IRI as the table spells it, how its values read, and its inner terms."""

    name: str
    iri: str
    type: str | None = None
    container: str | None = None
    object_form: bool = False
    scope: "Scope | None" = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The terms that hold inside one type or property."""

    terms: Mapping[str, Term]
    protected: bool
    imports: bool
    versioned: bool


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One context: prefixes, terms, and whether prefixes are declared or written out."""

    prefixes: Mapping[str, str]
    terms: Mapping[str, Term]
    versioned: bool
    protected: bool
    declares: bool = True

    def expand(self, iri: str) -> str:
        """The full IRI of a prefixed one (full ones and keywords stay as they are)."""
        prefix, colon, rest = iri.partition(":")
        return self.prefixes[prefix] + rest if colon and prefix in self.prefixes else iri


@cache
def vocabulary(url: str) -> Vocabulary:
    """The parsed table behind one of our context URLs.

    Raises:
        KeyError: the URL is not one of the four.
    """
    table = _TABLES[url]
    groups = {name: _lines(text) for name, text in table.groups.items()}
    return Vocabulary(
        prefixes=table.prefixes,
        terms=_terms(_lines(table.text), table.default, groups, versioned=table.versioned),
        versioned=table.versioned,
        protected=table.protected,
        declares=table.declares,
    )


@cache
def language_maps() -> frozenset[str]:
    """The terms of our own context whose value is a map from language to text."""
    terms = vocabulary(CONTEXT).terms.values()
    return frozenset(term.name for term in terms if term.container == "@language")


@cache
def words() -> frozenset[str]:
    """All terms of our own context."""
    return frozenset(vocabulary(CONTEXT).terms)


def document(url: str) -> dict[str, object]:
    """The context document that a URL stands for, generated from its table (a fresh copy).

    Raises:
        KeyError: the URL is not one of the four.
    """
    return {"@context": _context(url)}


def documents() -> dict[str, dict[str, object]]:
    """All context documents by URL (fresh copies)."""
    return {url: document(url) for url in _TABLES}


@cache
def _pins() -> Mapping[str, str]:
    return {url: digest(document(url)) for url in _TABLES}


def pins() -> dict[str, str]:
    """`sha-256:<hex>` over the JCS form of each context document, by URL."""
    return dict(_pins())


def inlined(url: str) -> dict[str, object]:
    """The document with `@import` carried out: the imported terms stand in the scope itself.

    The same by the JSON-LD 1.1 specification; pyld merges the import into the imported document
    in place and so lets terms of one message leak into the next.
    """
    context, profile = _context(url), _context(ODRL_PROFILE)
    for definition in context.values():
        scope = definition.get("@context") if isinstance(definition, dict) else None
        if isinstance(scope, dict) and scope.pop("@import", None) == ODRL_PROFILE:
            own = dict(scope)
            scope.clear()
            scope.update({**profile, **own})
    return {"@context": context}


def _context(url: str) -> dict[str, object]:
    words = vocabulary(url)
    context: dict[str, object] = {}
    if words.versioned:
        context["@version"] = 1.1
    if words.protected:
        context["@protected"] = True
    if words.declares:
        context.update(words.prefixes)
    return context | _definitions(words, words.terms)


def _definitions(words: Vocabulary, terms: Mapping[str, Term]) -> dict[str, object]:
    return {term.name: _definition(words, term) for term in terms.values()}


def _definition(words: Vocabulary, term: Term) -> object:
    iri = _spelled(words, term.iri)
    if not (term.type or term.container or term.object_form or term.scope):
        return iri
    definition: dict[str, object] = {"@id": iri}
    if term.type:
        definition["@type"] = _spelled(words, term.type)
    if term.container:
        definition["@container"] = term.container
    if term.scope:
        definition["@context"] = _scope(words, term.scope)
    return definition


def _scope(words: Vocabulary, scope: Scope) -> dict[str, object]:
    context: dict[str, object] = {}
    if scope.versioned:
        context["@version"] = 1.1
    if scope.protected:
        context["@protected"] = True
    if scope.imports:
        context |= {"@import": ODRL_PROFILE, "@propagate": True}
    return context | _definitions(words, scope.terms)


def _spelled(words: Vocabulary, iri: str) -> str:
    return iri if words.declares else words.expand(iri)


_Line = tuple[int, list[str]]


def _lines(text: str) -> list[_Line]:
    lines = [line for line in text.splitlines() if line.strip() and line.lstrip()[0] != "#"]
    return [(len(line) - len(line.lstrip()), line.split()) for line in lines]


def _terms(
    lines: list[_Line], default: str, groups: Mapping[str, list[_Line]], *, versioned: bool
) -> dict[str, Term]:
    """The terms of one block: its least indented lines; what is indented below is their scope."""
    terms: dict[str, Term] = {}
    for words, inner in _blocks(lines):
        if words[0].startswith("&"):
            terms |= _terms(groups[words[0][1:]], default, groups, versioned=versioned)
            continue
        term = _term(words, inner, default, groups, versioned=versioned)
        terms[term.name] = term
    return terms


def _blocks(lines: list[_Line]) -> Iterator[tuple[list[str], list[_Line]]]:
    start = 0
    while start < len(lines):
        indent, words = lines[start]
        end = start + 1
        while end < len(lines) and lines[end][0] > indent:
            end += 1
        yield words, lines[start + 1 : end]
        start = end


def _term(
    words: list[str],
    inner: list[_Line],
    default: str,
    groups: Mapping[str, list[_Line]],
    *,
    versioned: bool,
) -> Term:
    name, iri, kind, container = words[0], f"{default}:{words[0]}", None, None
    used = [word[1:] for word in words if word.startswith("&")]
    for word in words[1:]:
        if word in _CONTAINERS:
            container = _CONTAINERS[word]
        elif word in ("@id", "@vocab"):
            kind = word
        elif word.startswith("^"):
            kind = word[1:]
        elif word.startswith("="):
            iri = word[1:]
        elif ":" in word:
            iri = word
    scope = None
    if "+" in words or "-" in words:
        named = [line for group in used if group != "odrl" for line in groups[group]]
        scope = Scope(
            terms=_terms(_flush(named) + _flush(inner), default, groups, versioned=versioned),
            protected="+" in words,
            imports="odrl" in used,
            versioned="+" in words and versioned,
        )
    return Term(name, iri, kind, container, "{}" in words, scope)


def _flush(lines: list[_Line]) -> list[_Line]:
    """The same lines with their least indent at zero, so that blocks can be joined."""
    least = min((indent for indent, _ in lines), default=0)
    return [(indent - least, words) for indent, words in lines]


_TABLES: Final[Mapping[str, vocabularies.Table]] = {
    CONTEXT: vocabularies.PREAU,
    DSP_CONTEXT: vocabularies.DSPACE,
    ODRL_PROFILE: vocabularies.ODRL,
    DATA_INTEGRITY: vocabularies.INTEGRITY,
}
