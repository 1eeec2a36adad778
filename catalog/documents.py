"""Dataset documents: the one JSON-LD form of a `Dataset` that is signed (C1, C3), and back.

The document stands at `<dataset>/v<n>` and is never changed; what it is about, its `subject`, is
the dataset. No blank node: parts are named fragments of the dataset, rules and constraints carry
their content names (`policies.odrl`), offers are named by what they say. Sets are sorted by id.
Reading is strict, and ends with the proof that writing again gives the same members.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, cast

from catalog import reading, terms, values
from catalog.canonical import canonical, check
from catalog.model import (
    Audience,
    Condition,
    Dataset,
    Distribution,
    Field,
    Ground,
    Kind,
    LegalBasis,
    Linkage,
    LinkageFigure,
    Notice,
    Offer,
    Periodicity,
    Personal,
    Precision,
    Publisher,
    Words,
)
from policies import odrl
from policies.jcs import digest_bytes, jcs
from policies.model import Policy
from policies.problem import Problem
from policies.vocabulary import PREAU

_GDPR: Final = "https://w3id.org/dpv/legal/eu/gdpr#"
_FREQUENCY: Final = "http://publications.europa.eu/resource/authority/frequency/"
_MEDIA_TYPES: Final = "https://www.iana.org/assignments/media-types/"
KINDS: Final = {"xapi": PREAU + "XapiStatements", "csv": PREAU + "Table"}
AUDIENCES: Final = {
    "adults": PREAU + "Adults",
    "minors": PREAU + "Minors",
    "mixed": PREAU + "AdultsAndMinors",
    "unknown": PREAU + "UnknownAge",
}
GROUNDS: Final = {
    "consent": _GDPR + "A6-1-a",
    "public-task": _GDPR + "A6-1-e",
    "none": PREAU + "NoPersonalData",
}
SENSITIVITIES: Final = {
    "no": PREAU + "NotPersonal",
    "indirect": PREAU + "IndirectIdentifier",
    "direct": PREAU + "DirectIdentifier",
    "free-text": PREAU + "FreeText",
    "special": PREAU + "SpecialCategory",
}
CONDITIONS: Final = {f"9(2)({letter})": f"{_GDPR}A9-2-{letter}" for letter in "abcdefghij"}
PERIODS: Final = {
    "continuous": _FREQUENCY + "UPDATE_CONT",
    "daily": _FREQUENCY + "DAILY",
    "weekly": _FREQUENCY + "WEEKLY",
    "monthly": _FREQUENCY + "MONTHLY",
    "quarterly": _FREQUENCY + "QUARTERLY",
    "semiannual": _FREQUENCY + "ANNUAL_2",
    "annual": _FREQUENCY + "ANNUAL",
    "irregular": _FREQUENCY + "IRREG",
    "never": _FREQUENCY + "NEVER",
    "unknown": _FREQUENCY + "UNKNOWN",
}
PRECISIONS: Final = {
    "minute": PREAU + "Minute",
    "hour": PREAU + "Hour",
    "day": PREAU + "Day",
    "none": PREAU + "NoTime",
}
_SUBJECT: Final = (
    *("id", "type", "identifier", "version", "title", "description", "publisher", "kind"),
    *("category", "audience", "basis", "personal", "field", "periodicity", "issued", "modified"),
    *("until", "retention", "group", "rows", "distribution", "hasPolicy"),
)
_SUBJECT_OPTIONAL: Final = (
    *("notice", "retentionReason", "dpia", "persons", "decision", "linkage", "recordTime"),
)


def offered(policy: Policy, dataset: str, publisher: str) -> Policy:
    """The policy as an offer of this dataset by this publisher, named by what it says.

    The name is `<dataset>/offers/<base64url of SHA-256 over JCS of rules digest, assigner,
    target>`: choosing the name is choosing the content, whatever its spelling and order.
    """
    named = replace(policy, kind="Offer", target=dataset, assigner=publisher)
    content = {"assigner": publisher, "rules": odrl.rules_digest(named), "target": dataset}
    name = base64.urlsafe_b64encode(hashlib.sha256(jcs(content)).digest()).decode().rstrip("=")
    return replace(named, id=f"{dataset}/offers/{name}")


def service_iri(endpoint: str) -> str:
    """The IRI of the data service behind a DSP base URL."""
    return endpoint + "#service"


def unsigned(document: Mapping[str, object]) -> dict[str, object]:
    """The document without its proof: what digests are over and comparisons compare."""
    return {name: value for name, value in document.items() if name != "proof"}


def digest(document: Mapping[str, object]) -> str:
    """`sha-256:<hex>` over the JCS form without `proof`: the digest that others name (C1).

    Raises:
        Problem: `catalog-unfit-…` when the document has no canonical form.
    """
    return digest_bytes(canonical(unsigned(document)))


def document(dataset: Dataset) -> dict[str, object]:
    """The unsigned document of a dataset.

    Raises:
        Problem: `catalog-unfit-…` (a text that may not be signed), `catalog-offer-…` (an offer
            that is not `offered` by this publisher for this dataset, or stands twice).
    """
    written: dict[str, object] = {
        "v": 1,
        "@context": list(terms.SIGNED),
        "id": dataset.document_iri,
        "type": "DatasetDocument",
        "subject": _subject(dataset),
    }
    check(written)
    return written


def read(document: Mapping[str, object]) -> Dataset:
    """The dataset that a document describes; its proof, if any, is not looked at.

    Raises:
        Problem: `catalog-member-…`, `catalog-offer-…`, `catalog-unfit-…`, `policy-…`, each with
            its place; `catalog-document-form` when everything is understood but not written the
            one canonical way.
    """
    check(unsigned(document))
    reading.node(document, "", ("v", "@context", "id", "type", "subject"), ("proof",))
    reading.constant(document, "v", "", 1)
    reading.constant(document, "@context", "", list(terms.SIGNED))
    reading.constant(document, "type", "", "DatasetDocument")
    dataset = _read_subject(document["subject"], "/subject")
    reading.constant(document, "id", "", dataset.document_iri)
    same_form(_written(dataset), unsigned(document))
    return dataset


def same_form(written: object, found: object, where: str = "") -> None:
    """That a document is what we would have written.

    Raises:
        Problem: `catalog-document-form`, at the first member that differs.
    """
    if isinstance(written, Mapping) and isinstance(found, Mapping):
        for name in sorted({*written, *found}):
            same_form(written.get(name), found.get(name), f"{where}/{name}")
    elif isinstance(written, list) and isinstance(found, list) and len(written) == len(found):
        for index, (ours, theirs) in enumerate(zip(written, found, strict=True)):
            same_form(ours, theirs, f"{where}/{index}")
    elif written != found or type(written) is not type(found):
        raise Problem("catalog-document-form", where=where or "/")


def _written(dataset: Dataset) -> dict[str, object]:
    return document(dataset)


def _subject(dataset: Dataset) -> dict[str, object]:
    _check_offers(dataset)
    subject: dict[str, object] = {
        "id": dataset.iri,
        "type": "Dataset",
        "identifier": dataset.identifier,
        "version": dataset.version,
        "title": _words(dataset.title),
        "description": _words(dataset.description),
        "publisher": {
            "id": dataset.publisher.did,
            "type": "Publisher",
            "name": dataset.publisher.name,
        },
        "kind": KINDS[dataset.kind],
        "category": dataset.category,
        "audience": AUDIENCES[dataset.audience],
        "basis": _basis(dataset),
        "personal": dataset.personal,
        "field": _sorted([_field(dataset, n) for n in range(len(dataset.fields))]),
        "periodicity": PERIODS[dataset.periodicity],
        "issued": values.format_instant(dataset.issued),
        "modified": values.format_instant(dataset.modified),
        "until": values.format_instant(dataset.until),
        "retention": dataset.retention,
        "group": dataset.group,
        "rows": dataset.rows,
        "distribution": _sorted([_distribution(dataset, form) for form in dataset.distributions]),
        "hasPolicy": _sorted([odrl.document(offer.policy) for offer in dataset.offers]),
    }
    return subject | _optional(dataset)


def _optional(dataset: Dataset) -> dict[str, object]:
    members = {
        "notice": _notice(dataset.notice),
        "retentionReason": dataset.retention_reason,
        "dpia": dataset.dpia,
        "persons": dataset.persons,
        "decision": _decisions(dataset) or None,
        "linkage": _linkage(dataset),
        "recordTime": dataset.record_time,
    }
    return {name: value for name, value in members.items() if value is not None}


def _words(words: Words) -> dict[str, object]:
    return {"en": words.en, "fr": words.fr}


def _basis(dataset: Dataset) -> dict[str, object]:
    basis: dict[str, object] = {
        "id": values.fragment(dataset.iri, "basis"),
        "type": "LegalBasis",
        "ground": GROUNDS[dataset.basis.ground],
    }
    if dataset.basis.reference is not None:
        basis["reference"] = dataset.basis.reference
    return basis


def _notice(notice: Notice | None) -> dict[str, object] | None:
    if notice is None:
        return None
    members: dict[str, object] = {"id": notice.iri, "type": "Notice", "edition": notice.edition}
    return members if notice.digest is None else members | {"digest": notice.digest}


def _field(dataset: Dataset, index: int) -> dict[str, object]:
    field = dataset.fields[index]
    special = (
        {"condition": CONDITIONS[field.condition], "reference": field.reference}
        if field.condition is not None
        else {}
    )
    return {
        "id": values.fragment(dataset.iri, "field", field.name),
        "type": "Field",
        "name": field.name,
        "path": field.path,
        "datatype": field.type,
        "sensitivity": SENSITIVITIES[field.personal],
        "position": index + 1,
        **special,
    }


def _distribution(dataset: Dataset, form: Distribution) -> dict[str, object]:
    name = dataset.publisher.name
    return {
        "id": values.fragment(dataset.iri, "dist", form.name),
        "type": "Distribution",
        "mediaType": _MEDIA_TYPES + form.media_type,
        "transfer": PREAU + form.transfer,
        "accessURL": dataset.endpoint,
        "accessService": {
            "id": service_iri(dataset.endpoint),
            "type": "DataService",
            # DCAT-AP asks for a title; the name of the institution needs no translation.
            "title": {"en": name, "fr": name},
            "endpointURL": dataset.endpoint,
        },
    }


def _decisions(dataset: Dataset) -> list[dict[str, object]]:
    return _sorted(
        [
            {
                "id": values.fragment(offer.policy.id, "decision", str(position)),
                "type": "RequiredDecision",
                "offer": offer.policy.id,
                "position": position,
                "role": role,
            }
            for offer in dataset.offers
            for position, role in enumerate(offer.decisions, start=1)
        ]
    )


def _linkage(dataset: Dataset) -> dict[str, object] | None:
    found = dataset.linkage
    if found is None:
        return None
    return {
        "id": values.fragment(dataset.iri, "linkage"),
        "type": "LinkageMeasurement",
        "measured": values.format_instant(found.measured),
        "consents": found.consents,
        "figure": _sorted([_figure(dataset, one) for one in found.figures]),
    }


def _figure(dataset: Dataset, one: LinkageFigure) -> dict[str, object]:
    detail = "kept" if one.extensions else "cut"
    return {
        "id": values.fragment(dataset.iri, "linkage", one.time, detail),
        "type": "LinkageFigure",
        "precision": PRECISIONS[one.time],
        "extensions": one.extensions,
        "linked": one.linked,
    }


def _sorted(nodes: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(nodes, key=lambda node: str(node["id"]))


def _check_offers(dataset: Dataset) -> None:
    seen: set[str] = set()
    for offer in dataset.offers:
        policy = offer.policy
        if policy.target != dataset.iri or policy.assigner != dataset.publisher.did:
            raise Problem("catalog-offer-parties", offer=policy.id[:300])
        if policy.id != offered(policy, dataset.iri, dataset.publisher.did).id:
            raise Problem("catalog-offer-name", offer=policy.id[:300])
        if policy.id in seen:
            raise Problem("catalog-offer-twice", offer=policy.id[:300])
        seen.add(policy.id)


def _read_subject(value: object, where: str) -> Dataset:
    node = reading.node(value, where, _SUBJECT, _SUBJECT_OPTIONAL)
    reading.constant(node, "type", where, "Dataset")
    parts = reading.nodes(node, "distribution", where)
    forms = [_read_distribution(item, at) for item, at in parts]
    if not forms:
        raise reading.wrong(f"{where}/distribution", "[{…}]")
    return Dataset(
        iri=reading.text(node, "id", where),
        identifier=reading.text(node, "identifier", where),
        version=reading.whole(node, "version", where),
        title=_read_words(node["title"], f"{where}/title"),
        description=_read_words(node["description"], f"{where}/description"),
        publisher=_read_publisher(node["publisher"], f"{where}/publisher"),
        kind=cast("Kind", reading.word(node, "kind", where, KINDS)),
        category=reading.text(node, "category", where),
        audience=cast("Audience", reading.word(node, "audience", where, AUDIENCES)),
        basis=_read_basis(node["basis"], f"{where}/basis"),
        notice=_read_notice(node["notice"], f"{where}/notice") if "notice" in node else None,
        personal=reading.flag(node, "personal", where),
        fields=_read_fields(node, where),
        periodicity=cast("Periodicity", reading.word(node, "periodicity", where, PERIODS)),
        **_read_instants(node, where),
        retention=reading.text(node, "retention", where),
        retention_reason=reading.optional_text(node, "retentionReason", where),
        dpia=reading.optional_text(node, "dpia", where),
        group=reading.text(node, "group", where),
        rows=reading.whole(node, "rows", where),
        persons=reading.optional_text(node, "persons", where),
        offers=_read_offers(node, where),
        linkage=_read_linkage(node["linkage"], f"{where}/linkage") if "linkage" in node else None,
        distributions=tuple(form for form, _ in forms),
        record_time=reading.optional_text(node, "recordTime", where),
        endpoint=forms[0][1],
    )


def _read_instants(node: reading.Node, where: str) -> dict[str, datetime]:
    return {name: reading.instant(node, name, where) for name in ("issued", "modified", "until")}


def _read_words(value: object, where: str) -> Words:
    node = reading.node(value, where, ("fr", "en"), ())
    return Words(fr=reading.text(node, "fr", where), en=reading.text(node, "en", where))


def _read_publisher(value: object, where: str) -> Publisher:
    node = reading.node(value, where, ("id", "type", "name"), ())
    reading.constant(node, "type", where, "Publisher")
    return Publisher(did=reading.text(node, "id", where), name=reading.text(node, "name", where))


def _read_basis(value: object, where: str) -> LegalBasis:
    node = reading.node(value, where, ("id", "type", "ground"), ("reference",))
    ground = reading.word(node, "ground", where, GROUNDS)
    return LegalBasis(cast("Ground", ground), reading.optional_text(node, "reference", where))


def _read_notice(value: object, where: str) -> Notice:
    node = reading.node(value, where, ("id", "type", "edition"), ("digest",))
    return Notice(
        iri=reading.text(node, "id", where),
        edition=reading.text(node, "edition", where),
        digest=reading.optional_text(node, "digest", where),
    )


def _read_fields(parent: reading.Node, where: str) -> tuple[Field, ...]:
    members = ("id", "type", "name", "path", "datatype", "sensitivity", "position")
    placed: list[tuple[int, Field]] = []
    for value, at in reading.nodes(parent, "field", where):
        node = reading.node(value, at, members, ("condition", "reference"))
        condition = reading.word(node, "condition", at, CONDITIONS) if "condition" in node else None
        field = Field(
            name=reading.text(node, "name", at),
            path=reading.text(node, "path", at),
            type=reading.text(node, "datatype", at),
            personal=cast("Personal", reading.word(node, "sensitivity", at, SENSITIVITIES)),
            condition=cast("Condition | None", condition),
            reference=reading.optional_text(node, "reference", at),
        )
        placed.append((reading.whole(node, "position", at), field))
    placed.sort(key=lambda pair: pair[0])
    if [position for position, _ in placed] != list(range(1, len(placed) + 1)):
        raise reading.wrong(f"{where}/field", "position 1, 2, 3, …")
    return tuple(field for _, field in placed)


def _read_distribution(value: object, where: str) -> tuple[Distribution, str]:
    members = ("id", "type", "mediaType", "transfer", "accessURL", "accessService")
    node = reading.node(value, where, members, ())
    media, transfer = reading.text(node, "mediaType", where), reading.text(node, "transfer", where)
    form = Distribution(
        name=reading.text(node, "id", where).partition("#dist-")[2],
        media_type=media.removeprefix(_MEDIA_TYPES),
        transfer=transfer.removeprefix(PREAU),
    )
    return form, reading.text(node, "accessURL", where)


def _read_offers(parent: reading.Node, where: str) -> tuple[Offer, ...]:
    roles = _read_decisions(parent, where)
    offers = []
    for value, at in reading.nodes(parent, "hasPolicy", where):
        if not isinstance(value, Mapping):
            raise reading.wrong(at, "{…}")
        policy = odrl.read(value, where=at)
        offers.append(Offer(policy, tuple(roles.pop(policy.id, ()))))
    if roles:
        raise reading.wrong(f"{where}/decision", "offer ∈ hasPolicy")
    return tuple(offers)


def _read_decisions(parent: reading.Node, where: str) -> dict[str, list[str]]:
    found: dict[str, dict[int, str]] = {}
    for value, at in reading.nodes(parent, "decision", where):
        node = reading.node(value, at, ("id", "type", "offer", "position", "role"), ())
        roles = found.setdefault(reading.text(node, "offer", at), {})
        roles[reading.whole(node, "position", at)] = reading.text(node, "role", at)
    return {offer: [roles[n] for n in sorted(roles)] for offer, roles in found.items()}


def _read_linkage(value: object, where: str) -> Linkage:
    node = reading.node(value, where, ("id", "type", "measured", "consents", "figure"), ())
    reading.constant(node, "type", where, "LinkageMeasurement")
    figures = [_read_figure(item, at) for item, at in reading.nodes(node, "figure", where)]
    return Linkage(
        measured=reading.instant(node, "measured", where),
        consents=reading.whole(node, "consents", where),
        figures=tuple(figures),
    )


def _read_figure(value: object, where: str) -> LinkageFigure:
    members = ("id", "type", "precision", "extensions", "linked")
    node = reading.node(value, where, members, ())
    reading.constant(node, "type", where, "LinkageFigure")
    return LinkageFigure(
        time=cast("Precision", reading.word(node, "precision", where, PRECISIONS)),
        extensions=reading.flag(node, "extensions", where),
        linked=reading.text(node, "linked", where),
    )
