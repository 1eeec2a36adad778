"""compile: agreement + application + dataset -> plan. Pure and deterministic.

The rules, each of which the tests hold:

1. Only a permit compiles, and only the one made on these very rules. Parts of ODRL that no
   agreement of the Dataspace Protocol can carry (`model.beyond`) are refused by name.
2. Every constraint of the permission that permits is held: by its share of the plan, by what is
   left of it for each row (`rows.where`), or by being evaluated again at transfer and at every
   part. One that is held by none of these refuses the plan (P10).
3. Shares are intersected; an empty intersection (no field, no instant, no treatment, no lane, no
   row) refuses.
4. Personal data always carry a consent scope, or an objection scope on another declared basis,
   whatever the policy says; the stricter of both if the policy asks for consent (constitution 2).
   No basis, no plan. The scope's purpose is the application's, or the one purpose of the policy.
5. Fields: those of the application, within those of the policy; without an application those of
   the policy; without either, all of the codebook that do not identify directly. An unknown name
   is a problem. Direct identifiers leave only treated (agents become pseudonyms) or not at all;
   free text only if named; special categories only with a declared condition (S5, X5). A plan
   that names a social security number is refused (X10). Rows without a record time know no period.
6. The linkage announced is the one that the signed dataset document gives for the plan's time
   precision and detail of fields; "not measured" where it gives none (X5).
7. Pseudonyms are per agreement, or per recipient and purpose under `preau:longitudinal`; ids are
   re-keyed; times are cut to the hour unless the policy names a precision.
8. The lane is the most telling one that holds what the policy says of groups (X4). Which lanes and
   which columns a node can run is for the node to say, before anything is agreed (`needs`).
"""

from dataclasses import replace

from policies.application import Application
from policies.consent import Mode, Scope
from policies.decision import Decision
from policies.evaluate import Fact
from policies.model import Constraint, Policy, Rule, beyond
from policies.naming import name, rules_digest
from policies.operands import Share
from policies.operands.base import EQ, IS_A, IS_ANY_OF, IS_PART_OF
from policies.plan import choosing, due, folding, groups, residue
from policies.plan.dataset import BASES, DatasetFacts
from policies.plan.document import NO_ROWS, Plan
from policies.plan.rows import RECORD_TIME, ConsentScope, Rows
from policies.plan.shares import conjuncts, contradiction, shares
from policies.plan.treatments import Budgets
from policies.problem import Problem
from policies.remember import by_identity
from policies.vocabulary import ODRL


def compile(  # noqa: A001  (what it does; called as plan.compile)
    agreement: Policy,
    application: Application | None,
    dataset: DatasetFacts,
    agreement_id: str,
    recipient: str,
    decided: Decision,
) -> Plan:
    """The plan of an agreement; see the rules in the module's docstring.

    Args:
        agreement: the policy agreed on (its `timestamp`, if any, dates the duties).
        application: what was asked, None for a peer that cannot say.
        dataset: what it is about.
        agreement_id: the agreement's id.
        recipient: the recipient's DID.
        decided: a permit on this policy (any phase).

    Raises:
        Problem: `policy-plan-…` (kind refused), naming the constraint, field or value.
    """
    more = beyond(agreement)
    if more:
        raise Problem("policy-plan-beyond", members=", ".join(more))
    permission = _permitted(agreement, decided)
    if agreement.target is not None and agreement.target != dataset.id:
        raise Problem("policy-plan-target", target=agreement.target, dataset=dataset.id)
    share = shares(permission)
    wished = _wished(permission)
    lane, aggregates = groups.lane(wished)
    treatments = choosing.treatments(share, dataset)
    fields, removed = choosing.fields(share, application, dataset, treatments)
    duties = tuple(due.duty(each, agreement) for each in decided.duties)
    unlinked = lane == "aggregates"
    plan = Plan(
        agreement=agreement_id,
        policy="ni:///sha-256;" + rules_digest(agreement),
        dataset=dataset.id,
        rows=_rows(share, permission, application, dataset, recipient),
        fields=fields,
        treatments=treatments,
        budgets=Budgets(share.releases, wished.records),
        duties=duties,
        triggers=due.triggers(permission, agreement, duties, share.elapsed),
        lane=lane,
        aggregates=aggregates,
        linkage=NO_ROWS if unlinked else choosing.linkage(fields, treatments, dataset),
        removed=removed,
    )
    where = folding.left_over(permission, decided, plan.values)
    if where is None:
        return plan
    if not dataset.dated and any(test.column == RECORD_TIME for test in residue.tests(where)):
        raise contradiction(RECORD_TIME)
    return replace(plan, rows=replace(plan.rows, where=where))


def facts(plan: Plan) -> dict[str, Fact]:
    """What a plan makes true, by operand IRI: for `decide` at transfer and at every part."""
    return {key: Fact(held, "plan", "enforced") for key, held in plan.values().items()}


def _permitted(agreement: Policy, decided: Decision) -> Rule:
    if not decided.permitted:
        raise Problem("policy-plan-not-permitted", outcome=decided.outcome)
    found = [rule for rule in agreement.permissions if name(rule) == decided.permission]
    other = decided.upon is not agreement and decided.policy != rules_digest(agreement)
    if not found or other:
        raise Problem("policy-plan-other-policy")
    return found[0]


@by_identity
def _wished(permission: Rule) -> groups.Wish:
    return groups.wishes(conjuncts(permission.constraints))


def _rows(
    share: Share,
    permission: Rule,
    application: Application | None,
    dataset: DatasetFacts,
    recipient: str,
) -> Rows:
    start, end = share.start, share.end
    if application is not None:
        first, last = application.period
        start = first if start is None else max(start, first)
        end = last if end is None else min(end, last)
    if start is not None and end is not None and start >= end:
        raise contradiction(RECORD_TIME)
    if not dataset.dated:
        start = end = None
    undated = not dataset.dated
    mode = _mode(share, dataset)
    if mode is None:
        return Rows(start, end, undated=undated)
    purpose = application.purpose if application is not None else _purpose(permission)
    scope = Scope(recipient, purpose, dataset.category)
    return Rows(start, end, ConsentScope(scope, mode), undated)


def _mode(share: Share, dataset: DatasetFacts) -> Mode | None:
    if not dataset.personal:
        if share.scoped is not None:
            raise Problem("policy-plan-no-persons", dataset=dataset.id)
        return None
    if dataset.basis not in BASES:
        raise Problem("policy-plan-no-basis", dataset=dataset.id, known=", ".join(BASES))
    return "consent" if "consent" in (dataset.basis, share.scoped) else "objection"


def _purpose(permission: Rule) -> str:
    """The one purpose of an offer whose choice declares it (P6: peers that cannot say)."""
    found = {
        value.text
        for atom in conjuncts(permission.constraints)
        if isinstance(atom, Constraint) and atom.left == ODRL + "purpose"
        if atom.operator in {EQ, IS_A, IS_ANY_OF, IS_PART_OF}
        for value in atom.right
    }
    if len(found) != 1:
        raise Problem("policy-plan-no-purpose", found=len(found))
    return found.pop()
