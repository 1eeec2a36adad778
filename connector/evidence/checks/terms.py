"""What was agreed: the agreement, the application, the dataset as offered, the plan."""

from collections.abc import Iterator
from typing import Final

from catalog import documents, foreign
from connector.evidence import bodies
from connector.evidence.case import Case, Document, items, mapping, text
from connector.evidence.checks import story
from connector.evidence.report import Finding, NotMade
from connector.protocol.negotiation import agreement_id
from policies import application as applications
from policies import compare, odrl
from policies.jcs import digest
from policies.model import Policy
from policies.plan import Plan
from policies.problem import Problem

_FILE: Final = "agreement.json"
_RULES: Final = ("permission", "prohibition", "obligation")
_POLICY: Final = ("id", "type", "assigner", "assignee", "target", *_RULES)


def agreement(case: Case) -> Iterator[Finding]:
    """The id follows from the parties, both signed these very bytes, and the log has both acts."""
    document = case.agreement
    if document.get("v") != 1 or document.get("type") != "Agreement":
        raise Problem("evidence-file-malformed", where=_FILE, reason="v, type")
    signals = story.signals(case)
    yield from _signaled(case, signals) if signals else _wire(case)
    for did, logged in _assents(case).items():
        if logged is None and signals and did == case.consumer:
            yield NotMade("evidence-signaled", where=_FILE, did=did)
        elif logged is None:
            yield Problem("evidence-assent-missing", where=_FILE, did=did)
        else:
            yield from _assent(case, did, logged)
    for line, body in case.logged("agreement"):
        if body.get("digest") != digest(bodies.unsigned(document)):
            yield Problem("evidence-agreement-changed", where=_FILE, index=line.index)


def application(case: Case) -> Iterator[Finding]:
    """The requester signed the application that the agreement names, and asked for no less."""
    path = "application.json"
    if "application" not in case.agreement:
        if path in case.files:
            raise Problem("evidence-file-unlisted", where=path)
        raise NotMade("evidence-no-application", where=_FILE)
    named = mapping(case.agreement, "application", _FILE)
    document = case.document(path)
    yield from _named(named, document, path)
    case.check_proof(document, case.consumer, path)
    asked = applications.read(document)
    if (asked.requester, asked.provider) != (case.consumer, case.provider):
        yield Problem("evidence-parties", where=path)
    for difference in compare.application_covers(asked, policy(case)):
        yield _wider(difference, path)


def dataset(case: Case) -> Iterator[Finding]:
    """The provider signed the dataset document that the agreement names, and offered as much."""
    path = "dataset.json"
    document = case.document(path)
    if "signedDocument" not in case.agreement and case.attested(case.provider):
        yield from _unsigned(case, document, path)
        return
    yield from _named(mapping(case.agreement, "signedDocument", _FILE), document, path)
    case.check_proof(document, case.provider, path)
    described = documents.read(document)
    if (described.iri, described.publisher.did) != (case.agreement.get("target"), case.provider):
        yield Problem("evidence-parties", where=path)
    name = text(case.agreement, "offer", _FILE)
    offers = {offer.policy.id: offer.policy for offer in described.offers}
    outer = offers.get(name) or _sent_offer(case, name)
    if outer is None:
        raise Problem("evidence-offer-unknown", where=path, offer=name)
    for difference in compare.differences(outer, policy(case)):
        yield _wider(difference, path)
    named = {str(body.get("digest")) for _, body in case.logged("catalog")}
    if case.node == case.provider and documents.digest(document) not in named:
        yield Problem("evidence-document-unlogged", where=path, type="catalog")


def plan(case: Case) -> Iterator[Finding]:
    """The plan shown is the one logged, and it is a plan of this agreement."""
    path = "plan.json"
    logged = [(line, body) for line, body in case.logged("plan")]
    if path not in case.files and not logged:
        raise NotMade("evidence-no-plan", where=path)
    document = case.document(path)
    compiled = Plan.read(document)
    agreed = policy(case)
    expected = (agreed.id, "ni:///sha-256;" + odrl.rules_digest(agreed), agreed.target)
    if (compiled.agreement, compiled.policy, compiled.dataset) != expected:
        yield Problem("evidence-plan-other", where=path)
    if not any(body.get("digest") == digest(document) for _, body in logged):
        yield Problem("evidence-document-unlogged", where=path, type="plan")


def policy(case: Case) -> Policy:
    """The agreement as a typed policy.

    Raises:
        Problem: `evidence-agreement-form`, when its rules are not in the one normal form.
    """
    found = {name: case.agreement[name] for name in _POLICY if name in case.agreement}
    typed = odrl.read(found, where=_FILE)
    _same_rules(odrl.document(typed), found, _FILE)
    return typed


def _signaled(case: Case, signals: list[story.Said]) -> Iterator[Finding]:
    """Another control plane made the agreement: its id follows from the name that its signals give
    it, which is the same in all of them, for this consumer.
    """
    for item in signals:
        name = text(item.wire, "agreement", item.where)
        expected = agreement_id(case.provider, case.consumer, name, name)
        if case.agreement.get("id") != expected:
            yield Problem("evidence-agreement-id", where=_FILE, expected=expected)
        if text(item.wire, "consumer", item.where) != case.consumer:
            yield Problem("evidence-parties", where=item.where)


def _wire(case: Case) -> Iterator[Finding]:
    """What travelled in the ContractAgreementMessage is what was signed."""
    sent = [item for item in story.read(case) if item.type == "ContractAgreementMessage"]
    if not sent:
        raise Problem("evidence-file-missing", where="messages/…-ContractAgreementMessage.json")
    item = sent[-1]
    pids = (text(item.wire, name, item.where) for name in ("providerPid", "consumerPid"))
    expected = agreement_id(case.provider, case.consumer, *pids)
    if case.agreement.get("id") != expected:
        yield Problem("evidence-agreement-id", where=_FILE, expected=expected)
    travelled = odrl.read(
        {
            name: value
            for name, value in mapping(item.wire, "agreement", item.where).items()
            if not name.startswith("https://")
        },
        where=item.where,
    )
    agreed = policy(case)
    # A provider that does not sign gives the agreement a name of its own.
    same_name = travelled.id == agreed.id or case.attested(case.provider)
    if not same_name or travelled.target != agreed.target:
        yield Problem("evidence-agreement-form", where=item.where)
    _same_rules(odrl.document(travelled), odrl.document(agreed), item.where)


def _unsigned(case: Case, document: Document, where: str) -> Iterator[Finding]:
    """What an unsigned catalog said: only that the agreement keeps to an offer of it is seen."""
    described = foreign.dataset(document)
    if described.id != case.agreement.get("target"):
        yield Problem("evidence-parties", where=where)
    name = text(case.agreement, "offer", _FILE)
    offers = [offer for offer in described.offers if offer.get("@id") == name]
    if not offers:
        raise Problem("evidence-offer-unknown", where=where, offer=name)
    outer = odrl.read({**offers[0], "@type": "Offer"}, where=where)
    for difference in compare.differences(outer, policy(case)):
        yield _wider(difference, where)
    raise NotMade("evidence-dataset-unsigned", where=where, did=case.provider)


def _same_rules(one: Document, other: Document, where: str) -> None:
    if any(one.get(name, []) != other.get(name, []) for name in _RULES):
        raise Problem("evidence-agreement-form", where=where)


def _assents(case: Case) -> dict[str, Document | None]:
    """For each party, the body of the leaf that records its assent."""
    found: dict[str, Document | None] = {case.provider: None, case.consumer: None}
    for _, body in case.logged("agreement"):
        by = str(body.get("by"))
        if by in found:
            found[by] = body
    return found


def _assent(case: Case, did: str, logged: Document) -> Iterator[Finding]:
    """One party's proof, or the statement that this party does not sign."""
    proofs = [proof for proof in _proofs(case) if _signer(proof) == did]
    if logged.get("proof") is None:
        if proofs:
            yield Problem("evidence-document-unlogged", where=_FILE, type="agreement")
        yield NotMade("evidence-attested", where=_FILE, did=did)
        return
    if len(proofs) != 1 or digest(proofs[0]) != logged["proof"]:
        yield Problem("evidence-assent-changed", where=_FILE, did=did)
        return
    case.check_proof({**bodies.unsigned(case.agreement), "proof": proofs[0]}, did, _FILE)


def _proofs(case: Case) -> list[Document]:
    """The proofs in the agreement file: one, or the list of both parties' (decision P6)."""
    found = case.agreement.get("proof")
    wrapped = found if isinstance(found, list) else [] if found is None else [found]
    return items({"proof": wrapped}, "proof", _FILE)


def _signer(proof: Document) -> str:
    return str(proof.get("verificationMethod")).partition("#")[0]


def _wider(found: compare.Difference, where: str) -> Problem:
    return Problem(
        "evidence-wider", where=where, operand=found.operand, outer=found.outer, inner=found.inner
    )


def _named(named: Document, document: Document, where: str) -> Iterator[Finding]:
    """The agreement names this document by id and by digest."""
    expected = {"id": document.get("id"), "digest": digest(bodies.unsigned(document))}
    if dict(named) != expected:
        yield Problem("evidence-document-changed", where=where)


def _sent_offer(case: Case, name: str) -> Policy | None:
    """An offer that the provider made in the negotiation itself (a counter-offer)."""
    for item in story.read(case):
        if item.type != "ContractOfferMessage":
            continue
        offer = mapping(item.wire, "offer", item.where)
        if offer.get("@id") == name:
            kept = {key: value for key, value in offer.items() if not key.startswith("https://")}
            return odrl.read(kept, where=item.where)
    return None
