"""A decision as a FORCE compliance report (RDF), so that others can check how we evaluate.

The report model is that of https://w3id.org/force/compliance-report: one rule report for each
rule, with a premise for each action, target, party and constraint that the rule names, a
condition for each duty, and an activation state. W3C is about to standardise its own model: this
module is an adapter over the trace of a `Decision`, and nothing else knows the format.

What the model has no word for is said in ours: a constraint that is undetermined or deferred has
`preau:Undetermined` or `preau:Deferred` as its satisfaction state, and is never "Satisfied".
`situation` and `asked` read the model's own states of the world and requests, for its test suite.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from policies import values
from policies.decision import Decision
from policies.model import DATETIME, Constraint, Duty, Value
from policies.problem import Problem
from policies.trace import ConstraintTrace, DutyState, RuleTrace
from policies.vocabulary import ODRL, PREAU, RDF
from policies.world import Record, Request, World

if TYPE_CHECKING:
    from rdflib import Graph

REPORT: Final = "https://w3id.org/force/compliance-report#"
DCT: Final = "http://purl.org/dc/terms/"

_PREMISES: Final = {"target": "TargetReport", "assignee": "PartyReport", "action": "ActionReport"}
_SATISFACTION: Final = {
    "satisfied": REPORT + "Satisfied",
    "unsatisfied": REPORT + "Unsatisfied",
    "undetermined": PREAU + "Undetermined",
    "deferred": PREAU + "Deferred",
}
_DEONTIC: Final = {"fulfilled": "Fulfilled", "violated": "Violated", "not-set": "NonSet"}
_PERFORMANCE: Final = {"fulfilled": "Performed", "violated": "Unperformed", "not-set": "Unknown"}
_STATES: Final[dict[str, DutyState]] = {
    "Fulfilled": "fulfilled",
    "Violated": "violated",
    "NonSet": "not-set",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """IRIs of a decided policy, of the request for it, and of the one rule in that request."""

    policy: str
    request: str
    rule: str


def report(decided: Decision, asked: Asked) -> "Graph":
    """The compliance report of a decision, a graph whose reports are blank nodes.

    Rules and constraints are named by the id they were received with, otherwise by their
    content name.
    """
    from rdflib import Graph

    writer = _Writer(Graph(bind_namespaces="none"), asked)
    writer.policy(decided)
    return writer.graph


def active(rule: RuleTrace) -> bool:
    """Whether a rule is active: all premises and constraints hold, and no duty blocks it."""
    held = [*(each.outcome for each in rule.premises), *(each.outcome for each in rule.constraints)]
    blocked = rule.kind == "Permission" and any(
        each.outcome not in {"satisfied", "deferred"} for each in rule.duties
    )
    return not blocked and all(outcome == "satisfied" for outcome in held)


class _Writer:
    """Adds the statements of one report to a graph."""

    def __init__(self, graph: "Graph", asked: Asked) -> None:
        self.graph = graph
        self._asked = asked

    def policy(self, decided: Decision) -> None:
        """The report on the whole policy."""
        node = self._new("PolicyReport")
        self._say(node, DCT + "created", _literal(Value(values.show(decided.at), DATETIME)))
        self._say(node, REPORT + "policy", _iri(self._asked.policy))
        self._say(node, REPORT + "policyRequest", _iri(self._asked.request))
        for rule in decided.trace:
            self._say(node, REPORT + "ruleReport", self._rule(rule))

    def _rule(self, rule: RuleTrace) -> Any:  # noqa: ANN401  (an rdflib node)
        if isinstance(rule.rule, Duty):
            return self._duty(rule.duties[0]) if rule.duties else self._new("DutyReport")
        node = self._new(f"{rule.kind}Report")
        self._say(node, REPORT + "attemptState", _iri(REPORT + "Attempted"))
        self._say(node, REPORT + "rule", _iri(rule.rule.id or rule.name))
        self._say(node, REPORT + "ruleRequest", _iri(self._asked.rule))
        state = "Active" if active(rule) else "Inactive"
        self._say(node, REPORT + "activationState", _iri(REPORT + state))
        for premise in rule.premises:
            kind = _PREMISES.get(premise.role, "PartyReport")
            fit = self._new(kind)
            self._say(fit, REPORT + "satisfactionState", _iri(_SATISFACTION[premise.outcome]))
            self._say(node, REPORT + "premiseReport", fit)
            for each in premise.refinements:
                self._say(fit, REPORT + "premiseReport", self._constraint(each))
        for constraint in rule.constraints:
            self._say(node, REPORT + "premiseReport", self._constraint(constraint))
        for duty in rule.duties:
            self._say(node, REPORT + "conditionReport", self._duty(duty))
        return node

    def _constraint(self, traced: ConstraintTrace) -> Any:  # noqa: ANN401
        node = self._new("ConstraintReport")
        part = traced.part
        self._say(node, REPORT + "constraint", _iri(part.id or traced.name))
        self._say(node, REPORT + "satisfactionState", _iri(_SATISFACTION[traced.outcome]))
        if not isinstance(part, Constraint):
            if not isinstance(part, Duty):
                self._say(node, REPORT + "constraintLogicalOperand", _iri(part.operator))
            for child in traced.children:
                self._say(node, REPORT + "premiseReport", self._constraint(child))
            return node
        for seen in traced.seen or ():
            self._say(node, REPORT + "constraintLeftOperand", _literal(seen))
        if traced.outcome == "satisfied":
            self._say(node, REPORT + "constraintOperator", _iri(part.operator))
            for required in part.right:
                self._say(node, REPORT + "constraintRightOperand", _literal(required))
        return node

    def _duty(self, traced: ConstraintTrace) -> Any:  # noqa: ANN401
        """The duty's own report; where a record told of it, that record is the report."""
        if traced.record is not None:
            return _iri(traced.record)
        node = self._new("DutyReport")
        state = traced.state or "not-set"
        self._say(node, REPORT + "attemptState", _iri(REPORT + "Attempted"))
        self._say(node, REPORT + "rule", _iri(traced.part.id or traced.name))
        self._say(node, REPORT + "performanceState", _iri(REPORT + _PERFORMANCE[state]))
        self._say(node, REPORT + "deonticState", _iri(REPORT + _DEONTIC[state]))
        for child in traced.children:
            if not isinstance(child.part, Duty):
                self._say(node, REPORT + "premiseReport", self._constraint(child))
        return node

    def _new(self, kind: str) -> Any:  # noqa: ANN401
        from rdflib import BNode

        node = BNode()
        self._say(node, RDF + "type", _iri(REPORT + kind))
        return node

    def _say(self, subject: Any, predicate: str, value: Any) -> None:  # noqa: ANN401
        self.graph.add((subject, _iri(predicate), value))


def asked(graph: "Graph", request: str) -> tuple[Request, Asked]:
    """The request that an `odrl:Request` with one permission makes, and its names.

    `Asked.policy` is left empty: the request names no policy.

    Raises:
        Problem: `policy-shape`.
    """
    rules = list(graph.objects(_iri(request), _iri(ODRL + "permission")))
    if len(rules) != 1:
        raise Problem(
            "policy-shape", path=request, expected="one odrl:permission", found="other data"
        )
    found = {
        word: graph.value(rules[0], _iri(ODRL + word)) for word in ("action", "target", "assignee")
    }
    if found["action"] is None:
        raise Problem("policy-shape", path=request, expected="odrl:action", found="other data")
    named = {word: None if value is None else str(value) for word, value in found.items()}
    wanted = Request(str(found["action"]), named["target"], named["assignee"])
    return wanted, Asked("", request, str(rules[0]))


def situation(graph: "Graph", node: str, about: Request) -> tuple[datetime, World]:
    """The instant and the state of the world that an `ex:Sotw` describes.

    It is complete: who is not said to be in a collection is in none, and the duties it is silent
    about were not performed.

    Raises:
        Problem: `policy-shape`.
    """
    times = [str(value) for value in graph.objects(None, _iri(DCT + "issued"))]
    now = values.instant(times[0]) if len(times) == 1 else None
    if now is None:
        raise Problem(
            "policy-shape",
            path=node,
            expected="one current time with an offset",
            found="other data",
        )
    members: dict[str, tuple[str, ...]] = {
        each: () for each in (about.target, about.assignee) if each is not None
    }
    for part, whole in graph.subject_objects(_iri(ODRL + "partOf")):
        members[str(part)] = (*members.get(str(part), ()), str(whole))
    return now, World(tuple(_records(graph, now)), members)


def _records(graph: "Graph", now: datetime) -> list[Record]:
    found = []
    for node in graph.subjects(_iri(RDF + "type"), _iri(REPORT + "DutyReport")):
        state = graph.value(node, _iri(REPORT + "deonticState"))
        duty = graph.value(node, _iri(REPORT + "rule"))
        word = str(state).removeprefix(REPORT)
        if duty is None or word not in _STATES:
            raise Problem(
                "policy-shape", path=str(node), expected="rule, deonticState", found="other data"
            )
        found.append(Record("", now, duty=str(duty), state=_STATES[word], id=str(node)))
    return found


def _iri(text: str) -> Any:  # noqa: ANN401
    from rdflib import URIRef

    return URIRef(text)


def _literal(value: Value) -> Any:  # noqa: ANN401
    from rdflib import Literal

    if value.datatype is None:
        return _iri(value.text)
    return Literal(value.text, datatype=_iri(value.datatype))
