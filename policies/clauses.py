"""What a policy says, clause by clause, and how each clause is held (constitution 8).

Nothing here is written by hand for a policy: texts come from the model, assurances from the
registry. A permission's condition is held as its operand is; a duty or a prohibition is a promise,
of which an attestation or a report is declared by the recipient with its signature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from policies import operands, phrases
from policies.model import AnyConstraint, Constraint, Duty, Policy, Rule, atoms
from policies.naming import name
from policies.operands import Assurance
from policies.problem import Language
from policies.vocabulary import DECLARED

Kind = Literal["permission", "condition", "duty", "prohibition", "obligation"]

_WORDS: Final = {
    "enforced": ("appliqué par le nœud du fournisseur", "enforced by the provider's node"),
    "attested": ("attesté", "attested"),
    "declared": ("déclaré par le destinataire", "declared by the recipient"),
    "contractual": ("promis par contrat", "promised by contract"),
}
_NO_SOURCE: Final = (
    "pas encore évaluable par ce nœud : refuse toujours",
    "not yet evaluable by this node: always refuses",
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: where it stands, what it is, how it is held ("" for what is merely permitted).

    `held` has one assurance for each way in which the parts of an alternative are held.
    `sourced` is False when this version of the node has no source for what it compares.
    """

    path: str
    kind: Kind
    part: Rule | Duty | AnyConstraint
    held: tuple[Assurance, ...] = ()
    sourced: bool = True

    def text(self, lang: Language) -> str:
        """What the clause says, as a sentence without a full stop."""
        if isinstance(self.part, Rule):
            return phrases.action(self.part.action, lang) + self._when(self.part, lang)
        if isinstance(self.part, Duty):
            return phrases.duty(self.part, lang)
        return phrases.constraint(self.part, lang)

    def how(self, lang: Language) -> str:
        """How the clause is held, in words."""
        if not self.sourced:
            return phrases.pick(_NO_SOURCE, lang)
        if isinstance(self.part, Constraint):
            return phrases.assurance(self.part.left, lang)
        return ", ".join(phrases.pick(_WORDS[each], lang) for each in self.held)

    def document(self) -> dict[str, object]:
        """The clause for machines."""
        return {
            "path": self.path,
            "id": name(self.part),
            "kind": self.kind,
            "fr": self.text("fr"),
            "en": self.text("en"),
            "assurance": list(self.held),
            "sourced": self.sourced,
            "held": {"fr": self.how("fr"), "en": self.how("en")},
        }

    def _when(self, rule: Rule, lang: Language) -> str:
        if self.kind != "prohibition" or not rule.constraints:
            return ""
        return f" ({phrases.conditions(rule.constraints, lang)})"


def clauses(policy: Policy) -> tuple[Clause, ...]:
    """Every clause of a policy, in its order."""
    return tuple(_clauses(policy))


def _clauses(policy: Policy) -> Iterator[Clause]:
    for index, rule in enumerate(policy.permissions):
        path = f"permission[{index}]"
        yield Clause(path, "permission", rule)
        for at, condition in enumerate(rule.constraints):
            yield _condition(condition, f"{path}.constraint[{at}]")
        for at, duty in enumerate(rule.duties):
            yield _promise(duty, f"{path}.duty[{at}]", "duty")
    for index, rule in enumerate(policy.prohibitions):
        yield Clause(f"prohibition[{index}]", "prohibition", rule, ("contractual",))
    for index, duty in enumerate(policy.obligations):
        yield _promise(duty, f"obligation[{index}]", "obligation")


def _condition(condition: AnyConstraint, path: str) -> Clause:
    found = [operands.find(atom.left) for atom in atoms((condition,))]
    held = {operand.assurance for operand in found if operand is not None}
    sourced = all(operand is not None and operand.sourced for operand in found)
    return Clause(path, "condition", condition, tuple(sorted(held)), sourced)


def _promise(duty: Duty, path: str, kind: Literal["duty", "obligation"]) -> Clause:
    held: Assurance = "declared" if duty.action in DECLARED else "contractual"
    return Clause(path, kind, duty, (held,))
