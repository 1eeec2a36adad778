"""Sentences about values, constraints and rules, made from the model, in French and English.

No text is stored per policy: what is said is derived from what is evaluated. What this node does
not know is named as unknown, never left out.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from policies import operands, values
from policies.consent import GROUP
from policies.model import (
    ROLES,
    STRING,
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Rule,
    Value,
)
from policies.problem import Language
from policies.remember import by_identity
from policies.values import Duration
from policies.vocabulary import ACTIONS, ODRL, PREFIXES, PURPOSES, compact, label, purpose

Phrase = tuple[str, str]

OPERATORS: Final[Mapping[str, Phrase]] = {
    ODRL + "eq": ("est", "is"),
    ODRL + "neq": ("n'est pas", "is not"),
    ODRL + "lt": ("est avant ou en dessous de", "is before or below"),
    ODRL + "lteq": ("est au plus", "is at most"),
    ODRL + "gt": ("est après ou au-dessus de", "is after or above"),
    ODRL + "gteq": ("est au moins", "is at least"),
    ODRL + "isA": ("relève de", "falls under"),
    ODRL + "isAnyOf": ("est parmi", "is one of"),
    ODRL + "isAllOf": ("comprend tous les éléments", "includes all of"),
    ODRL + "isNoneOf": ("n'est aucun de", "is none of"),
    ODRL + "isPartOf": ("fait partie de", "is part of"),
    ODRL + "hasPart": ("contient", "contains"),
}
_DATES: Final[Mapping[str, Phrase]] = {
    ODRL + "lt": ("est avant le", "is before"),
    ODRL + "lteq": ("est au plus tard le", "is no later than"),
    ODRL + "gt": ("est après le", "is after"),
    ODRL + "gteq": ("est à partir du", "is from"),
}
_LOGICAL: Final[Mapping[str, Phrase]] = {
    ODRL + "and": ("toutes ces conditions", "all of these"),
    ODRL + "or": ("au moins une de ces conditions", "at least one of these"),
    ODRL + "xone": ("exactement une de ces conditions", "exactly one of these"),
    ODRL + "andSequence": (
        "ces conditions dans l'ordre (non pris en charge par ce nœud)",
        "these in sequence (not supported by this node)",
    ),
}
_MONTHS: Final = (
    [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
)


def pick(phrase: Phrase, lang: Language) -> str:
    """The French or English half of a phrase."""
    return phrase[0] if lang == "fr" else phrase[1]


def moment(at: datetime, lang: Language) -> str:
    """An instant, in words: `31 August 2027, 00:00 UTC`."""
    month = _MONTHS[0 if lang == "fr" else 1][at.month - 1]
    clock = at.strftime("%H:%M" if not (at.second or at.microsecond) else "%H:%M:%S")
    clock += at.strftime(".%f") if at.microsecond else ""
    day = "1er" if lang == "fr" and at.day == 1 else at.day
    return f"{day} {month} {at.year}, {clock} UTC"


def span(length: Duration, lang: Language) -> str:
    """A duration, in words: `180 days`."""
    years, months = divmod(length.months, 12)
    days, rest = divmod(length.seconds, 86_400)
    hours, seconds = divmod(rest, 3600)
    units: tuple[tuple[int, Phrase], ...] = (
        (years, ("an", "year")),
        (months, ("mois", "month")),
        (days, ("jour", "day")),
        (hours, ("heure", "hour")),
        (seconds, ("seconde", "second")),
    )
    said = [f"{n} {_plural(pick(unit, lang), n)}" for n, unit in units if n]
    return " ".join(said) or ("0 seconde" if lang == "fr" else "0 seconds")


def value(one: Value, lang: Language) -> str:
    """One value, in words; an IRI without a label stands between angle brackets."""
    parsed = values.parse(one)
    if one.datatype is None:
        return name(one.text, lang)
    match parsed:
        case datetime():
            return moment(parsed, lang)
        case Duration():
            return span(parsed, lang)
        case bool():
            return pick(("oui", "yes") if parsed else ("non", "no"), lang)
        case Decimal():
            return figure(one.text, lang)
        case None:
            note = pick(("type de valeur inconnu", "unknown value type"), lang)
            return f"{plain(one.text)} ({note})"
        case _:
            return plain(one.text)


def plain(text: str) -> str:
    """A text of somebody else's as part of one line: a sign that cannot be printed is a question
    mark, so that nobody writes lines of their own into what we say, or commands to a terminal.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def figure(text: str, lang: Language) -> str:
    """A decimal figure, with the comma that French has for the point."""
    return text.replace(".", ",") if lang == "fr" else text


def name(iri: str, lang: Language) -> str:
    """What people call an IRI, groups and countries of ours included."""
    if iri.startswith(GROUP):
        return pick((f"« {iri.removeprefix(GROUP)} »", f"“{iri.removeprefix(GROUP)}”"), lang)
    if iri.startswith(PREFIXES["loc"]):
        return iri.removeprefix(PREFIXES["loc"])
    return label(purpose(iri) if purpose(iri) in PURPOSES else iri, lang)


def listing(items: Iterable[str]) -> str:
    """Items, separated by commas, in the order given."""
    return ", ".join(items)


def operand(iri: str, lang: Language) -> str:
    """What people call a left operand; an unknown one is named as such."""
    known = operands.find(iri)
    if known is None:
        note = pick(("élément inconnu de ce nœud", "unknown to this node"), lang)
        return f"<{iri}> ({note})"
    return known.label(lang)


def action(iri: str, lang: Language) -> str:
    """What people call an action; an unknown one is named as such."""
    if iri in ACTIONS:
        return label(iri, lang)
    note = pick(("action inconnue de ce nœud", "action unknown to this node"), lang)
    return f"<{iri}> ({note})"


def to(iri: str) -> str:
    """French "de" before an action: `d'utiliser`, `de lire`."""
    said = action(iri, "fr")
    return f"d'{said}" if said[0].lower() in "aeéêiouyh" else f"de {said}"


def operator(iri: str, right: tuple[Value, ...], lang: Language) -> str:
    """What an operator says before these values."""
    dated = len(right) == 1 and isinstance(values.parse(right[0]), datetime)
    phrase = (_DATES if dated and iri in _DATES else OPERATORS).get(iri)
    if phrase is None:
        note = pick(("opérateur inconnu de ce nœud", "operator unknown to this node"), lang)
        return f"<{iri}> ({note})"
    return pick(phrase, lang)


def constraint(one: AnyConstraint, lang: Language) -> str:
    """One condition, in words, without a full stop."""
    if isinstance(one, LogicalConstraint):
        head = pick(_LOGICAL.get(one.operator, (one.operator, one.operator)), lang)
        return f"{head} [{'; '.join(constraint(child, lang) for child in one.operands)}]"
    right = listing(value(each, lang) for each in one.right)
    colon = " : " if lang == "fr" else ": "
    verb = operator(one.operator, one.right, lang)
    named = any(each.is_iri or each.datatype == STRING for each in one.right)
    glue = colon if named or len(one.right) > 1 else " "
    return f"{operand(one.left, lang)} {verb}{glue}{right}{_rarer(one, lang)}"


def _rarer(one: Constraint, lang: Language) -> str:
    """Unit, references and status of a constraint; nothing in the ordinary case."""
    said = [
        pick((f"la valeur de <{iri}>", f"the value of <{iri}>"), lang) for iri in one.references
    ]
    if one.unit is not None:
        said.append(pick((f"unité <{one.unit}>", f"unit <{one.unit}>"), lang))
    if one.status is not None:
        given = value(one.status, lang)
        said.append(pick((f"état donné : {given}", f"status given: {given}"), lang))
    return f" ({listing(said)})" if said else ""


def assurance(iri: str, lang: Language) -> str:
    """How a constraint is held, seen from the provider."""
    known = operands.find(iri)
    if known is None:
        return pick(("personne ne peut l'évaluer", "nobody can evaluate it"), lang)
    words: Mapping[str, Phrase] = {
        "enforced": ("appliqué par le nœud du fournisseur", "enforced by the provider's node"),
        "attested": ("attesté", "attested"),
        "declared": ("déclaré", "declared"),
        "contractual": ("engagement contractuel", "contractual promise"),
    }
    return pick(known.note if known.note[0] else words[known.assurance], lang)


def conditions(constraints: tuple[AnyConstraint, ...], lang: Language) -> str:
    """Conditions joined into one clause, empty when there are none."""
    return (" ; " if lang == "fr" else "; ").join(constraint(each, lang) for each in constraints)


@by_identity
def duty(one: Duty, lang: Language) -> str:
    """What must be done, and when, without a full stop."""
    glue = " ; " if lang == "fr" else "; "
    when = glue.join(filter(None, (conditions(one.constraints, lang), *narrowing(one, lang))))
    said = action(one.action, lang) + _about(one, lang) + (f" ({when})" if when else "")
    if one.consequences:
        later = glue.join(duty(each, lang) for each in one.consequences)
        said += pick((f", à défaut : {later}", f", failing that: {later}"), lang)
    return said


def _about(one: Rule | Duty, lang: Language) -> str:
    """Of whom, for whom and on what a rule is, where it says so itself."""
    words: tuple[tuple[str | None, Phrase], ...] = (
        (one.assigner, ("de la part de", "by")),
        (one.assignee, ("pour", "for")),
        (one.target, ("sur", "on")),
    )
    return "".join(f", {pick(word, lang)} {iri}" for iri, word in words if iri is not None)


def narrowing(one: Rule | Duty, lang: Language) -> list[str]:
    """What a rule says about its action, target and parties beside their names, a clause each."""
    roles: Mapping[str, Phrase] = {
        "action": ("action", "action"),
        "target": ("données", "data"),
        "assigner": ("fournisseur", "provider"),
        "assignee": ("destinataire", "recipient"),
    }
    colon = " : " if lang == "fr" else ": "
    lines = []
    for role in ROLES:
        said = conditions(one.refined.of(role), lang)
        member = pick(("membres de la collection", "members of the collection"), lang)
        parts = [member] if role in one.refined.collections else []
        parts += [said] if said else []
        parts += [f"⊇ {source}" for named, source in one.refined.sources if named == role]
        parts += [f"∈ {whole}" for named, whole in one.refined.part_of if named == role]
        if parts:
            lines.append(f"{pick(roles[role], lang)}{colon}{listing(parts)}")
    return lines + [f"{compact(member)}{colon}{iri}" for member, iri in one.functions]


def rule(one: Rule, lang: Language) -> list[str]:
    """A permission or prohibition: what it says, each condition, each duty."""
    return list(_rule(one, lang))


@by_identity
def _rule(one: Rule, lang: Language) -> list[str]:
    permitted = one.kind == "Permission"
    head = pick(
        (
            f"Il est {'permis' if permitted else 'interdit'} {to(one.action)}",
            f"It is {'permitted' if permitted else 'forbidden'} to {action(one.action, 'en')}",
        ),
        lang,
    )
    head += _about(one, lang)
    narrow = narrowing(one, lang)
    if not (one.constraints or one.duties or one.remedies or narrow):
        return [head + "."]
    lines = [head + pick((", à ces conditions :", ", on these conditions:"), lang)]
    lines += [f"- {each}." for each in narrow]
    lines += [f"- {constraint(each, lang)} [{_held(each, lang)}]." for each in one.constraints]
    must = pick(("obligation :", "duty:"), lang)
    lines += [f"- {must} {duty(each, lang)}." for each in one.duties]
    failing = pick(("en cas d'infraction :", "if infringed:"), lang)
    return lines + [f"- {failing} {duty(each, lang)}." for each in one.remedies]


def _held(one: AnyConstraint, lang: Language) -> str:
    if isinstance(one, Constraint):
        return assurance(one.left, lang)
    return "; ".join(dict.fromkeys(_held(child, lang) for child in one.operands))


def _plural(unit: str, count: int) -> str:
    return unit if count == 1 or unit.endswith("s") else unit + "s"
