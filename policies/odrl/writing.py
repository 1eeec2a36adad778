"""Writing a policy as Dataspace Protocol 2025-1 JSON (contract-schema.json).

What that schema has no word for (refinements, remedies, units) is written as ODRL 2.2 does: a
policy that holds it was received so, and is sent back saying the same.
"""

from policies.model import (
    ROLES,
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    Role,
    Rule,
    Value,
)
from policies.odrl.words import OPERATORS, compact
from policies.vocabulary import ODRL


def wire(policy: Policy, **members: object) -> dict[str, object]:
    """The policy as Dataspace Protocol 2025-1 JSON, order and ids as received.

    Args:
        policy: what to write.
        members: further members of the policy object; they replace, and None removes, what the
            policy says (`target=None` for an offer in a catalog).
    """
    found: dict[str, object] = {"@id": policy.id} if policy.id else {}
    found["@type"] = policy.kind
    if policy.profile:
        found["profile"] = policy.profile[0] if len(policy.profile) == 1 else list(policy.profile)
    for member in ("target", "assigner", "assignee", "timestamp", "conflict"):
        if (value := getattr(policy, member)) is not None:
            found[member] = value
    if policy.inherits:
        found["inheritFrom"] = list(policy.inherits)
    found |= dict(policy.metadata)
    lists: tuple[tuple[str, tuple[Rule | Duty, ...]], ...] = (
        ("permission", policy.permissions),
        ("prohibition", policy.prohibitions),
        ("obligation", policy.obligations),
    )
    for member, parts in lists:
        if parts:
            found[member] = [_rule(part) for part in parts]
    found.update(members)
    return {key: value for key, value in found.items() if value is not None}


def _rule(part: Rule | Duty) -> dict[str, object]:
    found: dict[str, object] = {} if part.id is None else {"@id": part.id}
    for role in ROLES:
        if getattr(part, role) is not None:
            found[role] = _thing(part, role)
    later = part.remedies if isinstance(part, Rule) else part.consequences
    if part.constraints:
        found["constraint"] = [_constraint(each) for each in part.constraints]
    if isinstance(part, Rule) and part.duties:
        found["duty"] = [_rule(duty) for duty in part.duties]
    if later:
        name = "remedy" if isinstance(part, Rule) else "consequence"
        found[name] = [_rule(duty) for duty in later]
    for member in dict.fromkeys(member for member, _ in part.functions):
        found["odrl:" + member.removeprefix(ODRL)] = [
            iri for name, iri in part.functions if name == member
        ]
    return found


def _thing(part: Rule | Duty, role: Role) -> object:
    """An action, target or party: its name, or an object when there is more to say."""
    iri: str = getattr(part, role)
    refinement = [_constraint(each) for each in part.refined.of(role)]
    wholes = [whole for named, whole in part.refined.part_of if named == role]
    if role == "action":
        spelled = "use" if iri == ODRL + "use" else compact(iri)
        if not refinement:
            return spelled
        return {"rdf:value": {"@id": compact(iri)}, "refinement": refinement}
    found: dict[str, object] = {}
    if role in part.refined.collections:
        found["@type"] = "AssetCollection" if role == "target" else "PartyCollection"
    sources = [source for named, source in part.refined.sources if named == role]
    found["source" if refinement and not sources else "uid"] = iri
    if sources:
        found["source"] = sources[0]
    if refinement:
        found["refinement"] = refinement
    if wholes:
        found["partOf"] = wholes
    return iri if set(found) == {"uid"} else found


def _constraint(constraint: AnyConstraint) -> dict[str, object]:
    found: dict[str, object] = {} if constraint.id is None else {"@id": constraint.id}
    if isinstance(constraint, LogicalConstraint):
        word = constraint.operator.removeprefix(ODRL)
        found[word] = [_constraint(child) for child in constraint.operands]
        return found
    found["leftOperand"] = compact(constraint.left)
    operator = constraint.operator.removeprefix(ODRL)
    found["operator"] = operator if operator in OPERATORS else constraint.operator
    if constraint.right or not constraint.references:
        written = [_value(value) for value in constraint.right]
        listed = constraint.listed or len(written) != 1
        found["rightOperand"] = written if listed else written[0]
    return found | _rarer(constraint)


def _rarer(constraint: Constraint) -> dict[str, object]:
    found: dict[str, object] = {}
    if constraint.references:
        found["rightOperandReference"] = [{"@id": each} for each in constraint.references]
    if constraint.unit is not None:
        found["unit"] = constraint.unit
    if constraint.status is not None:
        found["status"] = _value(constraint.status)
    return found


def _value(value: Value) -> object:
    if value.spelled is not None:
        return value.spelled
    if value.datatype is None:
        return {"@id": value.text}
    return {"@value": value.text, "@type": value.datatype}
