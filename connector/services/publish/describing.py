"""What is said of a dataset: its offer, judged by the linter, and its document's content."""

from datetime import datetime
from typing import Final, cast

from catalog import documents
from catalog.model import (
    Audience,
    Condition,
    Dataset,
    Distribution,
    Field,
    Ground,
    Kind,
    LegalBasis,
    Notice,
    Offer,
    Periodicity,
    Personal,
    Publisher,
    Words,
)
from catalog.values import rounded_persons
from connector.base.clock import format_time
from connector.dataplane import runnable
from connector.dataplane.about import About
from connector.dataplane.declaring import Found, declaration
from connector.dataplane.revision import RevisionMeta
from connector.dataplane.tables import NIR
from connector.services.negotiate import planning
from connector.services.node import Node
from connector.store.rows import DatasetRow
from policies import templates
from policies.compare import ChangedOffer, change
from policies.each_purpose import one_each
from policies.lint import Column, Declaration, Finding, lint, refusing, warning
from policies.model import Policy
from policies.plan import needs
from policies.problem import Problem

_NDJSON: Final = Distribution("ndjson", "application/x-ndjson")
_CSV: Final = Distribution("csv", "text/csv")
_FORMS: Final = {"xapi": (_NDJSON,), "csv": (_NDJSON, _CSV)}


def offer(
    node: Node, about: About, meta: RevisionMeta, own: templates.Library
) -> tuple[Policy, tuple[Finding, ...]]:
    """The offer the steward declared, if nothing forbids publishing it, and what to warn of.

    Raises:
        Problem: `publish-no-policy`, `policy-template-…`; the first of the linter's findings;
            `dataplane-lane`, `dataplane-column`: this node could not serve it.
    """
    if about.policy is None:
        raise Problem("publish-no-policy")
    policy = templates.build(about.policy.template, about.policy.params, own)
    if about.until is not None and planning.expiry(policy) is None:
        # What the steward declares beside the terms holds like a term.
        policy = change(policy, ChangedOffer(until=format_time(about.until)))
    findings = lint(policy, _declaration(node, about, meta))
    if refused := refusing(findings):
        first = refused[0].problem()
        first.params["findings"] = [one.document() for one in findings]
        raise first
    runnable.check(needs(policy))
    return policy, warning(findings)


def _declaration(node: Node, about: About, meta: RevisionMeta) -> Declaration:
    """What the linter must know of what the steward declared and the profile found."""
    conditioned = {one.column for one in about.special if one.condition}
    return declaration(
        about,
        retention_default=node.settings.retention.default,
        now=node.clock.now(),
        found=Found(
            persons=meta.persons,
            subjects=meta.table is None or bool(meta.table.subjects),
            dated=meta.table is None or meta.table.time is not None,
            columns=tuple(
                Column(field.name, field.type, field.personal, field.name in conditioned)
                for field in meta.codebook
                if field.type != NIR
            ),
        ),
    )


def dataset(
    node: Node,
    about: About,
    meta: RevisionMeta,
    offer: Policy,
    now: datetime,
    known: DatasetRow | None,
) -> Dataset:
    """The dataset as its document will say it, one version after the `known` one.

    Raises:
        Problem: `publish-no-end`; `catalog-…`: the model refuses words that it does not know.
    """
    iri = f"{node.url}/datasets/{about.id}"
    basis = about.basis
    if about.until is None:
        raise Problem("publish-no-end")
    personal = about.personal or meta.persons > 0
    return Dataset(
        iri=iri,
        identifier=about.id,
        version=known.version + 1 if known else 1,
        title=Words(about.title.fr, about.title.en),
        description=Words(
            about.description.fr or about.title.fr, about.description.en or about.title.en
        ),
        publisher=Publisher(node.did, about.publisher or node.settings.node.name),
        kind=cast("Kind", about.kind),
        category=about.category,
        audience=cast("Audience", about.audience or "unknown"),
        basis=LegalBasis(
            cast("Ground", basis.type if basis else "none"),
            basis.reference or None if basis else None,
        ),
        notice=Notice(about.notice.iri, about.notice.version or "1") if about.notice else None,
        personal=personal,
        fields=_fields(about, meta),
        periodicity=cast("Periodicity", about.periodicity or "unknown"),
        issued=now,
        modified=now,
        until=about.until,
        retention=about.retention or node.settings.retention.default,
        retention_reason=about.retention_reason or None,
        dpia=about.dpia or None,
        group=about.group,
        rows=meta.rows,
        persons=rounded_persons(meta.persons) if personal else None,
        offers=tuple(
            Offer(documents.offered(each, iri, node.did), about.decisions)
            for each in (
                one_each(offer) if about.policy and about.policy.each_purpose else (offer,)
            )
        ),
        distributions=_FORMS[about.kind],
        endpoint=node.dsp,
        record_time=about.time or None if about.kind == "csv" else None,
    )


def _fields(about: About, meta: RevisionMeta) -> tuple[Field, ...]:
    """The codebook as published, each special field with its declared condition (S5)."""
    declared = {one.column: one for one in about.special if one.condition}
    found = []
    for field in meta.codebook:
        special = declared.get(field.name)
        found.append(
            Field(
                name=field.name,
                path=field.pointer or field.column or "",
                type=field.type,
                personal=cast("Personal", field.personal),
                condition=cast("Condition", special.condition) if special else None,
                reference=special.reference if special else None,
            )
        )
    return tuple(found)
