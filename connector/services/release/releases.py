"""A release as it stands: transfer, agreement, plan, revision, and who may leave now.

What `granting`, `releasing` and `handing_over` have in common; nothing here changes anything.
"""

from dataclasses import dataclass

from connector.dataplane.release import (
    ReleaseKeys,
    release_keys,
)
from connector.dataplane.revision import Revision
from connector.dataplane.table_release import NDJSON
from connector.protocol.messages import Terms
from connector.protocol.transfer import Role, State, Transfer
from connector.services import access
from connector.services.negotiate import deciding, planning
from connector.services.negotiate.agreements import attests
from connector.services.node import Node
from connector.services.operate import quarantine
from connector.services.processes import transfer
from connector.services.publish import published
from connector.store import agreements as agreement_rows
from connector.store import catalogs, consents
from connector.store import parts as rows
from connector.store import transfers as transfer_rows
from connector.store.rows import AgreementRow, RevisionRow, SessionRow
from connector.store.store import Tx
from connector.subjects.registry import Bitmap, Roster
from policies import application as applications
from policies.evaluate import Decision, Fact, Phase, Request, decide
from policies.model import INTEGER, Policy
from policies.plan import Plan, facts
from policies.problem import Problem
from policies.values import literal
from policies.vocabulary import ODRL, PREAU


@dataclass(frozen=True, slots=True)
class Release:
    """Everything one transfer's parts are made of."""

    transfer: Transfer
    agreement: AgreementRow
    plan: Plan
    session: SessionRow
    revision: RevisionRow

    @property
    def salt(self) -> bytes:
        """What part digests are keyed with; both parties know it."""
        return bytes.fromhex(self.session.body["salt"])

    @property
    def form(self) -> str:
        """The distribution asked for, by its name."""
        return str(self.session.body.get("format", NDJSON))

    def keys(self, node: Node) -> ReleaseKeys:
        """The keys of this agreement's pseudonyms, ids and order."""
        consent = self.plan.rows.consent
        purpose = consent.scope.purpose if consent else ""
        longitudinal = self.plan.treatments is not None and self.plan.treatments.longitudinal
        return release_keys(
            node.keys.pseudonym_secret,
            self.transfer.peer,
            purpose,
            self.agreement.id,
            longitudinal=longitudinal,
        )


async def opened(node: Node, pid: str, token: str, *, ended: bool = False) -> Release:
    """The release a token opens.

    Raises:
        Problem: `release-unknown`; unless `ended`, `release-suspended`, `release-ended`,
            `release-quarantine`.
    """

    def unit(tx: Tx) -> Release:
        row = transfer_rows.get(tx, pid=pid)
        session = rows.session(tx, transfer=pid)
        if row is None or session is None or row.role != Role.PROVIDER.value:
            raise Problem("release-unknown")
        if not _opens(node, row, session, token):
            raise Problem("release-unknown")
        release = load(tx, pid, ended=ended)
        if not (ended and release.transfer.over):
            check_running(release.transfer)
        if not ended:
            quarantine.check(tx, release.plan)
        return release

    return await node.store.read(unit)


def first_token(node: Node, pid: str) -> str:
    """The bearer token of a transfer's first start. Only this node can make it, and it is always
    the same one, so that a control plane's start said again has the same answer.
    """
    return access.PREFIX + node.keys.derive(b"data-flow", pid.encode()).hex()


def _opens(node: Node, t: Transfer, session: SessionRow, token: str) -> bool:
    """Whether a token is the transfer's; from an EDC, also the one of the first start: its 0.18
    tells its data plane that address and none after it (divergences, T11).
    """
    if access.same_secret(token, session.token_hash):
        return True
    kept = session.token_hash is not None and attests(node, t.peer)
    return kept and access.same_secret(token, access.token_hash(first_token(node, t.pid)))


def load(tx: Tx, pid: str, *, ended: bool = False) -> Release:
    """Everything about a transfer's release; `ended`: its agreement may have ended too.

    Raises:
        Problem: `transfer-unknown`, `release-unknown`, `release-ended`.
    """
    t = transfer(tx, pid)
    agreement = agreement_of(tx, t, ended=ended)
    session = session_of(tx, pid)
    revision = catalogs.revision(tx, id=session.body["revision"])
    if revision is None:
        raise Problem("release-ended")
    return Release(t, agreement, Plan.read(agreement.plan), session, revision)


def judge(
    node: Node,
    tx: Tx,
    t: Transfer,
    agreement: AgreementRow,
    phase: Phase,
    groups: frozenset[str],
) -> Decision:
    """The agreement's policy on this transfer, now."""
    return _judged(node, tx, t, agreement, phase, groups)[1]


def judge_again(
    node: Node, tx: Tx, t: Transfer, agreement: AgreementRow, groups: frozenset[str]
) -> Decision:
    """As `judge` for a part, remembered while nothing that it depends on can have changed.

    An agreement and the place of a transfer under it never change; groups and clock do.
    """
    key = (agreement.id, agreement.digest, agreement.plan_digest, t.pid, groups)

    def make() -> tuple[Policy, Decision]:
        return _judged(node, tx, t, agreement, "batch", groups)

    return node.judgements.find(key, node.clock.now(), make)


def _judged(
    node: Node,
    tx: Tx,
    t: Transfer,
    agreement: AgreementRow,
    phase: Phase,
    groups: frozenset[str],
) -> tuple[Policy, Decision]:
    policy = Terms.read(agreement.wire or {}, kind="Agreement").policy
    application = applications.read(agreement.application) if agreement.application else None
    plan = Plan.read(agreement.plan)
    made = [row.pid for row in transfer_rows.of_agreement(tx, agreement=agreement.id)]
    place = literal(str(made.index(t.pid) + 1), INTEGER)
    known = {
        **deciding.facts_about(groups, personal=plan.rows.consent is not None),
        **facts(plan),
        ODRL + "count": Fact((place,), "ledger", "enforced"),
    }
    if plan.budgets.records is not None:
        # The parts themselves are cut to the budget: what is held is never more than it.
        spent = literal(str(plan.budgets.records), INTEGER)
        known[PREAU + "recordBudget"] = Fact((spent,), "ledger", "enforced")
    claims = planning.claims_in(application, policy)
    request = Request(ODRL + "use", agreement.dataset, t.peer, claims)
    return policy, decide(policy, request, known, node.clock.now(), phase)


async def consent_now(node: Node, release: Release) -> tuple[Revision, Bitmap]:
    """The revision and who may leave, as of now."""
    revision = node.bitmaps.revision(node.folder, release.revision)
    consent = release.plan.rows.consent

    def unit(tx: Tx) -> Bitmap:
        if consent is None:
            full = bytearray(b"\x01" * release.revision.persons)
            return Bitmap(full, consents.epoch(tx), None, (), {})
        roster: Roster = node.bitmaps.roster(release.revision, revision)
        return node.bitmaps.bitmap(tx, release.revision, roster, consent, node.clock.now())

    return revision, await node.store.survey(unit)


def agreement_of(tx: Tx, t: Transfer, *, ended: bool = False) -> AgreementRow:
    """The agreement a transfer runs under, which must be in force unless `ended`.

    Raises:
        Problem: `release-ended`.
    """
    agreement = agreement_rows.get(tx, id=t.agreement)
    if agreement is None or (agreement.state != "active" and not ended):
        raise Problem("release-ended")
    return agreement


def session_of(tx: Tx, pid: str) -> SessionRow:
    """What serving a transfer needs besides its agreement.

    Raises:
        Problem: `release-unknown`.
    """
    session = rows.session(tx, transfer=pid)
    if session is None:
        raise Problem("release-unknown")
    return session


def revision_of(tx: Tx, agreement: AgreementRow) -> RevisionRow:
    """The newest revision of the agreed dataset, if it still is what was agreed (X8)."""
    dataset = catalogs.dataset_by_iri(tx, iri=agreement.dataset)
    revision = None
    if dataset is not None and dataset.state == "published" and dataset.revision is not None:
        revision = catalogs.revision(tx, id=dataset.revision)
    if revision is None:
        raise Problem("release-withdrawn")
    types = {field["name"]: field["type"] for field in revision.meta["codebook"]}
    for field in Plan.read(agreement.plan).fields:
        if types.get(field.name) != field.type:
            raise Problem("release-drift", field=field.name)
    return revision


def check_running(t: Transfer) -> None:
    """Refuse anything but a started transfer.

    Raises:
        Problem: `release-suspended`, `release-ended`.
    """
    if t.state is State.SUSPENDED:
        raise Problem("release-suspended")
    if t.state is not State.STARTED:
        raise Problem("release-ended")


def basis_moved(tx: Tx, dataset: str, plan: Plan) -> Problem | None:
    """Whether a dataset, by its IRI, now asks for more of its learners than an agreement's plan.

    The institution has declared another legal basis since: what was released of everybody who had
    not objected would now need their consent. A withdrawn dataset has ended its transfers itself.
    """
    row = catalogs.dataset_by_iri(tx, iri=dataset)
    if row is None or row.state != "published":
        return None
    facts = planning.facts_of(published.of_row(tx, row).dataset)
    scope = plan.rows.consent
    stricter = facts.personal and (
        scope is None or (facts.basis == "consent" and scope.mode != "consent")
    )
    return Problem("release-basis") if stricter else None
