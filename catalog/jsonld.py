"""JSON-LD processing, kept on a short leash: frozen contexts and a safe `expand` (M1, C3).

Only foreign signed documents and tests come here; messages are read by typed parsers. No context
is fetched: the four of `catalog.terms` (imports carried out) and pyld's own bundle are known.
pyld drops what it does not understand, so everything it might drop is refused: members without a
term, relative IRIs, IRIs that no RDF writer accepts, nulls. pyld is imported on first use.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from catalog import terms, values
from catalog.canonical import bounded
from policies.problem import Problem

BASE: Final = "relative://x/"
"""What pyld resolves relative IRIs against, so that they can be told from absolute ones."""

_RELATIVE: Final = "relative:"
MAX_VALUES: Final = 50_000
_KEYWORDS_OF_IRIS: Final = ("@id", "@type")

Loader = Callable[[str, Mapping[str, object]], dict[str, object]]


@cache
def _contexts() -> Mapping[str, str]:
    """Every known context as JSON text: a fresh object for each use, since pyld alters them."""
    from pyld import BUNDLED_CONTEXTS  # lazily: 220 ms and 20 MB that an idle node never pays

    known = {url: path.read_text(encoding="utf-8") for url, path in BUNDLED_CONTEXTS.items()}
    return {**known, **{url: json.dumps(terms.inlined(url)) for url in terms.documents()}}


def known_contexts() -> frozenset[str]:
    """The URLs of all contexts that a document may name."""
    return frozenset(_contexts())


def loader(extra: Mapping[str, Mapping[str, object]] | None = None) -> Loader:
    """A pyld document loader over the known contexts (and `extra` ones); it opens nothing.

    It starts with pyld's cache of resolved contexts emptied: that cache is keyed by URL alone and
    would mix the contexts of two loaders.

    Raises (when called):
        Problem: `catalog-jsonld-context` for an unknown URL.
    """
    from pyld import jsonld

    jsonld._resolved_context_cache.clear()  # noqa: SLF001 (pyld offers no other way)
    added = {url: json.dumps(document) for url, document in (extra or {}).items()}

    def load(url: str, _options: Mapping[str, object]) -> dict[str, object]:
        text = added.get(url) or _contexts().get(url)
        if text is None:
            raise Problem("catalog-jsonld-context", context=url[:300])
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": json.loads(text),
        }

    return load


def expand(
    document: Mapping[str, object], *, load: Loader | None = None
) -> list[dict[str, object]]:
    """The expanded form of a document, in which nothing was lost.

    Raises:
        Problem: `catalog-jsonld-context` (a context not known, or not given by URL),
            `catalog-jsonld-dropped`, `catalog-jsonld-iri`, `catalog-jsonld-limit`,
            `catalog-jsonld-invalid`, `catalog-unfit-…`.
    """
    expanded, dropped = expand_loosely(document, load=load)
    if dropped:
        raise Problem("catalog-jsonld-dropped", names=", ".join(sorted(dropped))[:300])
    for iri in iris(expanded):
        relative = iri.startswith(_RELATIVE)
        if relative or not (values.is_iri(iri) or iri.startswith("@")):
            raise Problem("catalog-jsonld-iri", iri=iri.removeprefix(BASE)[:300])
    return expanded


def expand_loosely(
    document: Mapping[str, object], *, load: Loader | None = None
) -> tuple[list[dict[str, object]], tuple[str, ...]]:
    """The expanded form and the members that were dropped; relative IRIs begin with `BASE`.

    Raises:
        Problem: as `expand`, but for dropped members and relative IRIs.
    """
    bounded(document)
    if _count(document) > MAX_VALUES:
        raise Problem("catalog-jsonld-limit", nodes=MAX_VALUES)
    _check_plain(document)
    return _process(document, load or loader())


def iris(expanded: object) -> list[str]:
    """Every IRI of an expanded document: properties, ids, types and datatypes, in order."""
    found: list[str] = []
    if isinstance(expanded, list):
        for item in expanded:
            found += iris(item)
    elif isinstance(expanded, Mapping):
        for key, value in expanded.items():
            if key in _KEYWORDS_OF_IRIS:
                found += value if isinstance(value, list) else [value]
            elif key not in ("@value", "@language", "@index", "@direction"):
                found += ([] if key.startswith("@") else [key]) + iris(value)
    return found


def _process(
    document: Mapping[str, object], load: Loader
) -> tuple[list[dict[str, object]], tuple[str, ...]]:
    from pyld import jsonld

    dropped: list[str] = []
    processor: Any = jsonld.JsonLdProcessor(on_property_dropped=dropped.append)
    options = {"documentLoader": load, "base": BASE, "processingMode": "json-ld-1.1"}
    try:
        expanded = processor.expand(dict(document), options)
    except jsonld.JsonLdError as fault:
        raise _problem(fault, str(fault.code or fault.type)) from None
    except (TypeError, AttributeError, KeyError, ValueError, RecursionError):
        # pyld meets malformed input with Python's own errors in places
        raise Problem("catalog-jsonld-invalid", reason="processing") from None
    return expanded, tuple(str(name) for name in dropped)


def _problem(fault: BaseException, reason: str) -> Problem:
    """The loader's own Problem, which pyld wraps, or what pyld found itself."""
    inner: BaseException | None = fault
    while inner is not None:
        if isinstance(inner, Problem):
            return inner
        inner = inner.__cause__ or inner.__context__
    return Problem("catalog-jsonld-invalid", reason=reason)


def _count(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_count, value.values()))
    if isinstance(value, list | tuple):
        return 1 + sum(map(_count, value))
    return 1


def _check_plain(value: object) -> None:
    """Contexts by known URL only, and no null (it would vanish without a word)."""
    if isinstance(value, list | tuple):
        for item in value:
            _check_plain(item)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name == "@context":
                _check_context(item)
            elif item is None:
                raise Problem("catalog-unfit-null", where=str(name)[:200])
            else:
                _check_plain(item)


def _check_context(context: object) -> None:
    for url in context if isinstance(context, list | tuple) else [context]:
        if not isinstance(url, str):
            raise Problem("catalog-jsonld-context", context="{…}")
