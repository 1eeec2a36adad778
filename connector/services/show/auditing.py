"""Gathering the evidence on one agreement into a bundle that anybody can check alone."""

import json
from typing import Final

from catalog.documents import digest as document_digest
from connector.evidence import bundle as bundles
from connector.evidence.bundle import BundleParts, Decision, Handover, Message
from connector.services import access
from connector.services.access import Actor
from connector.services.identity import document as own_did
from connector.services.node import Node
from connector.services.show.views import find_agreement
from connector.store import decisions, messages, parts
from connector.store import transfers as transfer_rows
from connector.store.rows import AgreementRow
from connector.store.store import Tx
from policies.jcs import digest
from policies.problem import Problem

_TRIES: Final = 5


async def bundle(node: Node, who: Actor, ident: str) -> bytes:
    """The evidence bundle of an agreement, as a zip; private bodies only for our own auditor.

    Raises:
        Problem: `access-role`, `agreement-unknown`, `agreement-inactive`.
    """
    access.require(who, "operator", "auditor", "dpo")
    gathered = await _gathered(node, ident)
    return bundles.write(
        gathered,
        sign=node.keys.sign_assertion,
        method=node.assertion_method,
        created=node.clock.now(),
        proof_id=node.ids.uuid(),
        private=who.role == "auditor",
    )


async def _gathered(node: Node, ident: str) -> BundleParts:
    """Everything under one checkpoint; if the log grew meanwhile, under the next one."""
    for _ in range(_TRIES):
        await node.log.advance()
        try:
            return await node.store.survey(lambda tx: _gather(node, tx, ident))
        except Problem as problem:
            if problem.code != "evidence-log-behind":
                raise
    raise Problem("evidence-log-behind")


def _gather(node: Node, tx: Tx, ident: str) -> BundleParts:
    row = find_agreement(tx, ident)
    if row.state == "pending" or row.dataset_document is None:
        raise Problem("agreement-inactive", state=row.state)
    processes = [row.negotiation]
    processes += [one.pid for one in transfer_rows.of_agreement(tx, agreement=row.id)]
    dids = [one for one in (row.did, row.peer_did) if one]
    now_did = own_did(node)
    if now_did not in dids:
        dids.append(now_did)
    document = row.dataset_document
    subject = document.get("subject")
    about = [row.negotiation, node.did]
    if isinstance(subject, dict):
        about.append(str(subject["id"]))
    named = [document_digest(document), *(digest(one) for one in dids)]
    return BundleParts(
        node=node.did,
        agreement=row.document,
        proofs=tuple(one for one in (row.provider_proof, row.consumer_proof) if one),
        application=row.application,
        dataset=document,
        plan=row.plan,
        messages=tuple(
            Message(one.direction, json.loads(one.body))
            for process in processes
            for one in messages.of(tx, process=process)
        ),
        decisions=tuple(
            Decision(one.shared, one.internal)
            for process in processes
            for one in decisions.of(tx, process=process)
        ),
        handovers=tuple(_handovers(tx, row)),
        dids=tuple(dids),
        ledger=bundles.collect(tx, node.log, row.id, about=about, documents=named),
    )


def _handovers(tx: Tx, row: AgreementRow) -> list[Handover]:
    found = []
    for transfer in transfer_rows.of_agreement(tx, agreement=row.id):
        manifest = parts.manifest(tx, transfer=transfer.pid)
        if manifest is not None:
            session = parts.session(tx, transfer=transfer.pid)
            salt = bytes.fromhex(session.body.get("salt", "")) if session else b""
            found.append(Handover(manifest.body or None, manifest.receipt, salt))
    return found
