"""Dataset documents on the Dataspace Protocol's wire (2025-1, chapter Catalog), and back (C1).

`project` writes the subject of a document in the words of the DSP context where it has them, in
its prefixes (`dct:`, `dcat:`, `odrl:`) or as full IRIs elsewhere, and names the signed document
by IRI and digest. It is driven by the term table, not by classes, and loses nothing: `unproject`
rebuilds the very document. Two values change their nature on the wire: `transfer` becomes DSP's
bare word `format`, `endpointURL` a plain string. The assigner and target of an offer are left out
(the protocol forbids `target` there) and follow from dataset and publisher.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from catalog import reading, terms
from catalog.documents import digest, service_iri
from policies import odrl
from policies.problem import Problem
from policies.vocabulary import PREAU

SIGNED_DOCUMENT: Final = PREAU + "signedDocument"
DIGEST: Final = PREAU + "digest"
_TRANSFER: Final = "transfer"
_FORMAT: Final = "format"
_ENDPOINT: Final = "endpointURL"
_POLICY: Final = "hasPolicy"


@dataclass(frozen=True, slots=True)
class _Words:
    """The wire's names inside a node of one type: our member -> wire key, and back."""

    keys: Mapping[str, str]
    members: Mapping[str, str]


def project(document: Mapping[str, object]) -> dict[str, object]:
    """The DSP dataset that stands for a (signed or unsigned) dataset document.

    Raises:
        Problem: `catalog-member-…`, `policy-…` when the document is not one that `read` accepts.
    """
    subject, name = document.get("subject"), document.get("id")
    if not isinstance(subject, Mapping) or not isinstance(name, str):
        raise reading.wrong("/", '{"id", "subject"}')
    wire: dict[str, object] = {"@context": [terms.DSP_CONTEXT]}
    wire |= _to_wire(subject, "/subject")
    wire[SIGNED_DOCUMENT] = {"@id": name, DIGEST: digest(document)}
    return wire


def unproject(dataset: Mapping[str, object]) -> dict[str, object]:
    """The unsigned dataset document behind a projected DSP dataset, its digest compared.

    Raises:
        Problem: `catalog-projection-unsigned` (no reference to a signed document),
            `catalog-projection-unknown`, `catalog-projection-invalid` (located),
            `catalog-projection-digest` (the wire says something else than was signed),
            `policy-…`.
    """
    reference = dataset.get(SIGNED_DOCUMENT)
    if not isinstance(reference, Mapping) or not isinstance(reference.get("@id"), str):
        raise Problem("catalog-projection-unsigned")
    rest = {n: v for n, v in dataset.items() if n not in ("@context", SIGNED_DOCUMENT)}
    subject = _from_wire(rest, "")
    _restore_offers(subject)
    document: dict[str, object] = {
        "v": 1,
        "@context": list(terms.SIGNED),
        "id": reference["@id"],
        "type": "DatasetDocument",
        "subject": subject,
    }
    if digest(document) != reference.get(DIGEST):
        raise Problem("catalog-projection-digest", document=str(reference["@id"])[:300])
    return document


def inner(dataset: Mapping[str, object]) -> dict[str, object]:
    """A projected dataset as it stands inside a catalog: without a context of its own."""
    return {name: value for name, value in dataset.items() if name != "@context"}


def catalog_response(
    *,
    catalog: str,
    participant: str,
    endpoint: str,
    datasets: Iterable[object],
) -> dict[str, object]:
    """The answer to a CatalogRequestMessage: a root Catalog over `inner` datasets, or over their
    JSON text in whatever shape the caller's writer knows.

    `catalog` is its IRI, `participant` the DID, `endpoint` the DSP base URL. An empty catalog
    has no `dataset` member (the schema wants at least one item).
    """
    response: dict[str, object] = {
        "@context": [terms.DSP_CONTEXT],
        "@id": catalog,
        "@type": "Catalog",
        "participantId": participant,
        "service": [
            {"@id": service_iri(endpoint), "@type": "DataService", "endpointURL": endpoint}
        ],
    }
    found = list(datasets)
    return response | {"dataset": found} if found else response


def dataset_response(dataset: Mapping[str, object]) -> dict[str, object]:
    """The answer to a dataset request: the projected dataset under the protocol's context."""
    return {"@context": [terms.DSP_CONTEXT], **dataset}


@cache
def _words(node_type: str) -> _Words:
    """The wire names that hold inside a node of this (DSP or other) type."""
    ours, theirs = terms.vocabulary(terms.CONTEXT), terms.vocabulary(terms.DSP_CONTEXT)
    outer = theirs.terms.get(node_type)
    scope = outer.scope if outer else None
    scoped = scope.terms.values() if scope else ()
    names = {theirs.expand(term.iri): term.name for term in scoped}
    keys = {
        term.name: names.get(ours.expand(term.iri), _compact(ours.expand(term.iri)))
        for term in ours.terms.values()
        if not term.iri.startswith("@")
    }
    if node_type == "Distribution":
        keys[_TRANSFER] = _FORMAT
    return _Words(keys, {key: member for member, key in keys.items()})


@cache
def _types() -> Mapping[str, str]:
    """Our class terms to the wire's `@type`."""
    ours, theirs = terms.vocabulary(terms.CONTEXT), terms.vocabulary(terms.DSP_CONTEXT)
    names = {theirs.expand(term.iri): term.name for term in theirs.terms.values()}
    classes = [term for term in ours.terms.values() if term.name[0].isupper()]
    return {
        term.name: names.get(ours.expand(term.iri), _compact(ours.expand(term.iri)))
        for term in classes
    }


@cache
def _types_back() -> Mapping[str, str]:
    return {wire: name for name, wire in _types().items()}


def _compact(iri: str) -> str:
    """The IRI with a prefix of the DSP context, or in full where it has none."""
    for prefix, base in terms.vocabulary(terms.DSP_CONTEXT).prefixes.items():
        if iri.startswith(base):
            return f"{prefix}:{iri.removeprefix(base)}"
    return iri


def _to_wire(node: Mapping[str, object], where: str) -> dict[str, object]:
    kind = _types().get(str(node.get("type")))
    if kind is None or not isinstance(node.get("id"), str):
        raise reading.wrong(where, '{"id", "type"}')
    wire: dict[str, object] = {"@id": node["id"], "@type": kind}
    words = _words(kind)
    for name, value in node.items():
        if name in ("id", "type"):
            continue
        if name not in words.keys:
            raise Problem("catalog-member-unknown", where=where, name=name[:80])
        wire[words.keys[name]] = _wire_value(name, value, f"{where}/{name}")
    return wire


def _wire_value(name: str, value: object, where: str) -> object:
    term = terms.vocabulary(terms.CONTEXT).terms[name]
    if term.container == "@language" and isinstance(value, Mapping):
        return [{"@value": value[tag], "@language": tag} for tag in sorted(value)]
    if isinstance(value, list | tuple):
        return [_wire_value(name, item, f"{where}/{index}") for index, item in enumerate(value)]
    if name == _POLICY and isinstance(value, Mapping):
        return odrl.wire(odrl.read(value, where=where), target=None, assigner=None)
    if isinstance(value, Mapping):
        return _to_wire(value, where)
    if name == _TRANSFER:
        return str(value).removeprefix(PREAU)
    if term.type == "@id":
        return value if name == _ENDPOINT else {"@id": value}
    if term.type is not None:
        return {"@value": _lexical(value), "@type": term.type}
    return value


def _lexical(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _from_wire(wire: Mapping[str, object], where: str) -> dict[str, object]:
    kind = wire.get("@type")
    name = _types_back().get(kind) if isinstance(kind, str) else None
    if name is None or not isinstance(wire.get("@id"), str):
        raise Problem("catalog-projection-invalid", where=where or "/")
    node: dict[str, object] = {"id": wire["@id"], "type": name}
    members = _words(str(kind)).members
    for key, value in wire.items():
        if key in ("@id", "@type"):
            continue
        member = members.get(key)
        if member is None:
            raise Problem("catalog-projection-unknown", where=where or "/", name=str(key)[:300])
        node[member] = _our_value(member, value, f"{where}/{key}")
    return node


def _our_value(name: str, value: object, where: str) -> object:
    term = terms.vocabulary(terms.CONTEXT).terms[name]
    if term.container == "@language":
        return _language_map(value, where)
    if term.container == "@set":
        items = value if isinstance(value, list) else [value]
        return _sorted([_our_item(term, item, where) for item in items])
    return _our_item(term, value, where)


def _our_item(term: terms.Term, value: object, where: str) -> object:
    if term.name == _POLICY and isinstance(value, Mapping):
        return value
    if isinstance(value, Mapping) and "@type" in value and "@value" not in value:
        return _from_wire(value, where)
    if term.name == _TRANSFER and isinstance(value, str):
        return PREAU + value
    if term.type == "@id":
        inner = value if term.name == _ENDPOINT else _only(value, "@id")
    elif term.type is not None:
        inner = _typed(term.type, value)
    else:
        inner = value
    if not isinstance(inner, str | int):
        raise Problem("catalog-projection-invalid", where=where or "/")
    return inner


def _only(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, Mapping) and set(value) == {key} else None


def _typed(datatype: str, value: object) -> object:
    if not isinstance(value, Mapping) or set(value) != {"@value", "@type"}:
        return None
    text = value["@value"]
    if value["@type"] != datatype or not isinstance(text, str):
        return None
    if datatype == "xsd:integer":
        plain = text.isascii() and text.isdecimal() and len(text) <= len(str(2**53))
        return int(text) if plain else None
    if datatype == "xsd:boolean":
        return {"true": True, "false": False}.get(text)
    return text


def _language_map(value: object, where: str) -> dict[str, object]:
    words: dict[str, object] = {}
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, Mapping) or set(item) != {"@value", "@language"}:
            raise Problem("catalog-projection-invalid", where=where)
        tag, text = item["@language"], item["@value"]
        if not isinstance(tag, str) or not isinstance(text, str) or tag in words:
            raise Problem("catalog-projection-invalid", where=where)
        words[tag] = text
    return words


def _sorted(items: list[object]) -> list[object]:
    def key(item: object) -> str:
        return str(item.get("id")) if isinstance(item, Mapping) else str(item)

    return sorted(items, key=key)


def _restore_offers(subject: dict[str, object]) -> None:
    """Offers as they were signed: with the dataset as target and the publisher as assigner."""
    publisher = subject.get("publisher")
    offers = subject.get(_POLICY)
    if not isinstance(publisher, Mapping) or not isinstance(offers, list):
        raise Problem("catalog-projection-invalid", where="/hasPolicy")
    restored: list[object] = []
    for index, offer in enumerate(offers):
        if not isinstance(offer, Mapping):
            raise Problem("catalog-projection-invalid", where=f"/hasPolicy/{index}")
        policy = odrl.read(offer, where=f"/hasPolicy/{index}")
        target, assigner = str(subject["id"]), str(publisher["id"])
        restored.append(odrl.document(replace(policy, target=target, assigner=assigner)))
    subject[_POLICY] = _sorted(restored)
