"""What is wrong with publishing an offer on a dataset, each finding with what to change.

An offer with findings is not published. The lint knows the policy and what the steward declared;
it never sees a row. Rules (issue item 3, DECISIONS S5): every part can be evaluated and is held;
purposes are known; an offer on personal data ends, and has not ended yet; no open licence on
personal data; a basis is declared; consent needs adults and a notice, and other audiences need a
public task; a retention beyond the institution's default has a written reason.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from policies import operands, values
from policies.model import (
    DURATION,
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    Rule,
    Value,
    atoms,
)
from policies.operands.base import LT, LTEQ
from policies.plan import BASES
from policies.problem import Problem
from policies.vocabulary import (
    ACTIONS,
    ODRL,
    PREAU,
    PROMISES,
    PURPOSES,
    action_covers,
    compact,
    purpose,
)

AUDIENCES: Final = ("adults", "minors", "mixed")
_DATE: Final = ODRL + "dateTime"
_OPEN: Final = (ODRL + "distribute", ODRL + "transfer")
_AND: Final = ODRL + "and"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the steward declared about the dataset, as far as it matters here.

    Attributes:
        personal: whether any row is about a person (the profile's word, not only the steward's).
        audience: adults, minors, mixed; anything else is unknown.
        basis: legal basis, one of `plan.BASES`.
        notice: IRI of the information given to the persons.
        retention, retention_default: xsd:durations; this dataset's, and the institution's own.
        retention_reason: why this one is longer.
        until: RFC 3339 end of the offer, when declared beside the policy.
        now: the instant of publishing; None leaves the question open whether the offer has ended.
        fields: names of the codebook; empty when not known yet.
        subjects: whether the rows say whom they are about (a table may not).
        identifying: names of fields that identify persons, or tell of them what is special.
        dated: whether the rows have a record time.
    """

    personal: bool
    audience: str | None = None
    basis: str | None = None
    notice: str | None = None
    retention: str | None = None
    retention_default: str | None = None
    retention_reason: str | None = None
    until: str | None = None
    now: datetime | None = None
    fields: frozenset[str] = frozenset()
    subjects: bool = True
    identifying: frozenset[str] = frozenset()
    dated: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to change: `code` and parameters as in the texts, and where in the policy."""

    code: str
    path: str
    params: tuple[tuple[str, str], ...] = ()

    def problem(self) -> Problem:
        """The finding as the exception that people see."""
        return Problem(self.code, path=self.path, **dict(self.params))

    def document(self) -> dict[str, object]:
        """code, fr, en, do (fr, en), params: the finding for machines."""
        return self.problem().document()


def lint(policy: Policy, declaration: Declaration) -> tuple[Finding, ...]:
    """Everything that forbids publishing this offer on this dataset; empty = may be published."""
    found = [
        *_rules(policy, declaration),
        *_end(policy, declaration),
        *_ended(policy, declaration),
        *_openness(policy, declaration),
        *_basis(declaration),
        *_retention(policy, declaration),
        *_persons(declaration),
    ]
    return tuple(dict.fromkeys(found))


def _finding(code: str, path: str, **params: str) -> Finding:
    return Finding(code, path, tuple(sorted(params.items())))


# --- can every part be evaluated and held? --------------------------------------------------


def _rules(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    if not policy.permissions:
        yield _finding("policy-lint-no-permission", "permission")
    for kind, rules in (("permission", policy.permissions), ("prohibition", policy.prohibitions)):
        for index, rule in enumerate(rules):
            yield from _rule(rule, f"{kind}[{index}]", declaration)
    for index, duty in enumerate(policy.obligations):
        yield from _duty(duty, f"obligation[{index}]")


def _rule(rule: Rule, path: str, declaration: Declaration) -> Iterator[Finding]:
    if rule.action not in ACTIONS:
        yield _finding("policy-lint-unknown-action", f"{path}.action", action=rule.action)
    for index, each in enumerate(rule.constraints):
        here = f"{path}.constraint[{index}]"
        yield from _constraint(each, here, declaration)
        if rule.kind == "Permission" and not _held(each):
            lefts = ", ".join(sorted({compact(atom.left) for atom in atoms((each,))}))
            yield _finding("policy-lint-no-enforcer", here, operand=lefts)
        if rule.kind == "Prohibition" and not all(_known_at_batch(a) for a in atoms((each,))):
            lefts = ", ".join(sorted({compact(atom.left) for atom in atoms((each,))}))
            yield _finding("policy-lint-no-enforcer", here, operand=lefts)
    for index, duty in enumerate(rule.duties):
        yield from _duty(duty, f"{path}.duty[{index}]")


def _duty(duty: Duty, path: str) -> Iterator[Finding]:
    if duty.action not in ACTIONS:
        yield _finding("policy-lint-unknown-action", f"{path}.action", action=duty.action)
    elif duty.action not in PROMISES and not _says_when(duty):
        yield _finding("policy-lint-duty-without-phase", path, action=compact(duty.action))
    for index, each in enumerate(duty.constraints):
        yield from _form(each, f"{path}.constraint[{index}]")


def _constraint(each: AnyConstraint, path: str, declaration: Declaration) -> Iterator[Finding]:
    yield from _form(each, path)
    for atom in atoms((each,)):
        operand = operands.find(atom.left)
        if operand is not None and operand.duty_only:
            yield _finding("policy-lint-duty-only", path, operand=compact(atom.left))
        strange = _unknown_purposes(atom)
        if strange:
            known = ", ".join(sorted(map(compact, PURPOSES)))
            yield _finding("policy-lint-unknown-purpose", path, purpose=strange, known=known)
        if atom.left == PREAU + "recordTime" and not declaration.dated:
            yield _finding("policy-lint-undated", path)
        if atom.left == PREAU + "fields" and declaration.fields:
            names = {value.text for value in atom.right} - declaration.fields
            if names:
                yield _finding(
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
            yield _finding("policy-lint-unknown-operator", path, operator=compact(each.operator))
        for index, child in enumerate(each.operands):
            yield from _form(child, f"{path}.{word}[{index}]")
        return
    operand = operands.find(each.left)
    if operand is None:
        yield _finding("policy-lint-unknown-operand", path, operand=each.left)
    elif each.operator not in operand.operators:
        known = ", ".join(sorted(compact(operator) for operator in operand.operators))
        yield _finding(
            "policy-lint-unknown-operator", path, operator=compact(each.operator), known=known
        )
    elif not all(_typed(value, operand.datatype) for value in each.right):
        expected = "IRI" if operand.datatype is None else compact(operand.datatype)
        yield _finding(
            "policy-lint-value-type", path, operand=compact(each.left), expected=expected
        )


def _typed(value: Value, datatype: str | None) -> bool:
    return value.datatype == datatype and values.parse(value) is not None


def _held(each: AnyConstraint) -> bool:
    """Whether the plan or a later evaluation holds a constraint of known form."""
    if isinstance(each, LogicalConstraint):
        if each.operator == _AND:
            return all(_held(child) for child in each.operands)
        return all(_known_at_batch(atom) for atom in atoms((each,)))
    operand = operands.find(each.left)
    if operand is None or each.operator not in operand.operators or operand.duty_only:
        return True  # said already, more precisely
    if operand.share is None:
        return _known_at_batch(each)
    return operand.share(each) is not None


def _known_at_batch(atom: Constraint) -> bool:
    operand = operands.find(atom.left)
    return operand is None or operand.duty_only or "batch" in operand.phases_of(atom)


def _says_when(duty: Duty) -> bool:
    lefts = {atom.left: atom for atom in atoms(duty.constraints)}
    event = lefts.get(ODRL + "event")
    return PREAU + "duePhase" in lefts or (event is not None and event.operator == LT)


# --- what the steward declared --------------------------------------------------------------


def _end(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Every permission ends, except an open licence on data that are not about persons."""
    if declaration.until is not None and values.instant(declaration.until) is not None:
        return
    opened = any(rule.action in _OPEN for rule in policy.permissions)
    if opened and not declaration.personal:
        return
    for index, rule in enumerate(policy.permissions):
        if not any(_is_end(each) for each in _conjuncts(rule.constraints)):
            yield _finding("policy-lint-no-end", f"permission[{index}]")


def _ended(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """What is published can still be asked for."""
    now = declaration.now
    if now is None:
        return
    ends = [("until", declaration.until or "")]
    for index, rule in enumerate(policy.permissions):
        found = tuple(each for each in _conjuncts(rule.constraints) if _is_end(each))
        ends += [(f"permission[{index}]", atom.right[0].text) for atom in atoms(found)]
    for path, text in ends:
        end = values.instant(text)
        if end is not None and end <= now:
            yield _finding("policy-lint-ended", path, until=text)


def _is_end(each: AnyConstraint) -> bool:
    return isinstance(each, Constraint) and each.left == _DATE and each.operator in {LT, LTEQ}


def _conjuncts(constraints: tuple[AnyConstraint, ...]) -> Iterable[AnyConstraint]:
    for each in constraints:
        if isinstance(each, LogicalConstraint) and each.operator == _AND:
            yield from _conjuncts(each.operands)
        else:
            yield each


def _openness(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    if not declaration.personal:
        return
    for index, rule in enumerate(policy.permissions):
        if any(action_covers(action, rule.action) for action in _OPEN):
            yield _finding(
                "policy-lint-open-personal", f"permission[{index}]", action=compact(rule.action)
            )


def _basis(declaration: Declaration) -> Iterator[Finding]:
    if not declaration.personal:
        return
    if declaration.basis not in BASES:
        yield _finding("policy-lint-no-basis", "basis", known=", ".join(BASES))
        return
    audience = declaration.audience if declaration.audience in AUDIENCES else "unknown"
    if declaration.basis == "consent":
        if audience != "adults":
            yield _finding("policy-lint-minors-on-consent", "audience", audience=audience)
        if not declaration.notice:
            yield _finding("policy-lint-no-notice", "notice")
    elif audience != "adults" and declaration.basis != "public-task":
        yield _finding(
            "policy-lint-minors-basis", "audience", audience=audience, basis=str(declaration.basis)
        )


def _persons(declaration: Declaration) -> Iterator[Finding]:
    """Rows about persons say about whom; rows about nobody identify nobody."""
    if declaration.personal and not declaration.subjects:
        yield _finding("policy-lint-no-subjects", "subjects")
    if not declaration.personal and declaration.identifying:
        names = ", ".join(sorted(declaration.identifying)[:10])
        yield _finding("policy-lint-not-personal", "personal", field=names)


def _retention(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    if declaration.retention_reason and declaration.retention_reason.strip():
        return
    default = declaration.retention_default
    if not declaration.personal or default is None:
        return
    limit = values.literal(default, DURATION)
    for path, text in _retentions(policy, declaration):
        sign = values.order(values.literal(text, DURATION), limit)
        if sign is None or sign > 0:
            yield _finding("policy-lint-retention", path, retention=text, default=default)


def _retentions(policy: Policy, declaration: Declaration) -> Iterator[tuple[str, str]]:
    if declaration.retention is not None:
        yield "retention", declaration.retention
    for r, rule in enumerate(policy.permissions):
        for d, duty in enumerate(rule.duties):
            yield from _kept(duty, f"permission[{r}].duty[{d}]")
    for d, duty in enumerate(policy.obligations):
        yield from _kept(duty, f"obligation[{d}]")


def _kept(duty: Duty, path: str) -> Iterator[tuple[str, str]]:
    if duty.action != ODRL + "delete":
        return
    for atom in atoms(duty.constraints):
        if atom.left == ODRL + "elapsedTime" and atom.operator in {LT, LTEQ}:
            yield path, atom.right[0].text
