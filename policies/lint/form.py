"""Can every clause be evaluated, and is it held? An offer that only looks so is not published."""

from collections.abc import Iterator
from typing import Final

from policies import operands, values
from policies.lint.finding import Declaration, Finding, finding
from policies.model import (
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    Rule,
    Value,
    atoms,
    beyond,
)
from policies.operands.base import LT
from policies.plan.shares import holds
from policies.vocabulary import ACTIONS, ODRL, PREAU, PROMISES, PURPOSES, compact, purpose

_AND: Final = ODRL + "and"


def form(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Findings about clauses that nobody can evaluate or hold."""
    for member in beyond(policy):
        yield finding("policy-lint-beyond-protocol", "policy", member=member)
    if not policy.permissions:
        yield finding("policy-lint-no-permission", "permission")
    for kind, rules in (("permission", policy.permissions), ("prohibition", policy.prohibitions)):
        for index, rule in enumerate(rules):
            yield from _rule(rule, f"{kind}[{index}]", declaration)
    for index, duty in enumerate(policy.obligations):
        yield from _duty(duty, f"obligation[{index}]")


def _rule(rule: Rule, path: str, declaration: Declaration) -> Iterator[Finding]:
    if rule.action not in ACTIONS:
        yield finding("policy-lint-unknown-action", f"{path}.action", action=rule.action)
    for index, each in enumerate(rule.constraints):
        here = f"{path}.constraint[{index}]"
        yield from _constraint(each, here, declaration)
        missing = sorted({compact(a.left) for a in atoms((each,)) if not _sourced(a)})
        if missing:
            yield finding("policy-lint-no-source", here, operand=", ".join(missing))
        elif not (_held(each) if rule.kind == "Permission" else _again(each)):
            lefts = ", ".join(sorted({compact(atom.left) for atom in atoms((each,))}))
            yield finding("policy-lint-no-enforcer", here, operand=lefts)
    for index, duty in enumerate(rule.duties):
        yield from _duty(duty, f"{path}.duty[{index}]")


def _duty(duty: Duty, path: str) -> Iterator[Finding]:
    if duty.action not in ACTIONS:
        yield finding("policy-lint-unknown-action", f"{path}.action", action=duty.action)
    elif duty.action not in PROMISES and not _says_when(duty):
        yield finding("policy-lint-duty-without-phase", path, action=compact(duty.action))
    for index, each in enumerate(duty.constraints):
        yield from _form(each, f"{path}.constraint[{index}]")


def _constraint(each: AnyConstraint, path: str, declaration: Declaration) -> Iterator[Finding]:
    yield from _form(each, path)
    for atom in atoms((each,)):
        operand = operands.find(atom.left)
        if operand is not None and operand.duty_only:
            yield finding("policy-lint-duty-only", path, operand=compact(atom.left))
        if strange := _unknown_purposes(atom):
            known = ", ".join(sorted(map(compact, PURPOSES)))
            yield finding("policy-lint-unknown-purpose", path, purpose=strange, known=known)
        if atom.left == PREAU + "recordTime" and not declaration.dated:
            yield finding("policy-lint-undated", path)
        if atom.left == PREAU + "fields" and declaration.fields:
            names = {value.text for value in atom.right} - declaration.fields
            if names:
                yield finding(
                    "policy-lint-unknown-field", path, field=", ".join(sorted(names)[:10])
                )


def _unknown_purposes(atom: Constraint) -> str:
    """The purposes that are neither ours nor mapped to one of ours (C5)."""
    if atom.left != ODRL + "purpose":
        return ""
    strange = {value.text for value in atom.right if purpose(value.text) not in PURPOSES}
    return ", ".join(sorted(strange)[:10])


def _form(each: AnyConstraint, path: str) -> Iterator[Finding]:
    """Operand, operator and value types are ones somebody can evaluate."""
    if isinstance(each, LogicalConstraint):
        word = each.operator.removeprefix(ODRL)
        if word == "andSequence":
            yield finding("policy-lint-unknown-operator", path, operator=compact(each.operator))
        for index, child in enumerate(each.operands):
            yield from _form(child, f"{path}.{word}[{index}]")
        return
    operand = operands.find(each.left)
    if operand is None:
        yield finding("policy-lint-unknown-operand", path, operand=each.left)
    elif each.operator not in operand.operators:
        known = ", ".join(sorted(compact(operator) for operator in operand.operators))
        yield finding(
            "policy-lint-unknown-operator", path, operator=compact(each.operator), known=known
        )
    elif not all(_typed(value, operand.datatype) for value in each.right):
        expected = "IRI" if operand.datatype is None else compact(operand.datatype)
        yield finding("policy-lint-value-type", path, operand=compact(each.left), expected=expected)


def _typed(value: Value, datatype: str | None) -> bool:
    return value.datatype == datatype and values.parse(value) is not None


def _held(each: AnyConstraint) -> bool:
    """Whether the plan or a later evaluation holds a constraint of known form."""
    if isinstance(each, LogicalConstraint):
        if each.operator == _AND:
            return all(_held(child) for child in each.operands)
        return _again(each) or holds(each)
    operand = operands.find(each.left)
    if operand is None or each.operator not in operand.operators or operand.duty_only:
        return True  # said already, more precisely
    return holds(each)


def _sourced(atom: Constraint) -> bool:
    operand = operands.find(atom.left)
    return operand is None or operand.sourced


def _again(each: AnyConstraint) -> bool:
    return all(_known_at_batch(atom) for atom in atoms((each,)))


def _known_at_batch(atom: Constraint) -> bool:
    operand = operands.find(atom.left)
    return operand is None or operand.duty_only or "batch" in operand.phases_of(atom)


def _says_when(duty: Duty) -> bool:
    lefts = {atom.left: atom for atom in atoms(duty.constraints)}
    event = lefts.get(ODRL + "event")
    return PREAU + "duePhase" in lefts or (event is not None and event.operator == LT)
