"""The plan as a document: what leaves, of whom, treated how, and what was promised.

A plan is what an agreement means for one dataset, settled once: its digest is logged before the
first byte. `plan.compile` makes it; here are its parts, its JSON (FORMATS "Plan"), its strict
reader and its explanation in words. Pseudonymised data are personal data and are called so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from policies import phrases, values
from policies.consent import Mode, Scope
from policies.jcs import digest
from policies.model import BOOLEAN, STRING, Value, iri
from policies.problem import Language
from policies.strict import Members
from policies.vocabulary import PREAU

FieldTreatment = Literal["pseudonym", "rekey", "time"]
ActorTreatment = Literal["pseudonym-per-agreement", "pseudonym-per-recipient-and-purpose"]
Precision = Literal["minute", "hour", "day", "none"]
RemovalReason = Literal[
    "not-agreed", "direct-identifier", "free-text", "special-category", "no-time", "excluded"
]

ACTORS: Final[Mapping[str, ActorTreatment]] = {
    PREAU + "KeyedPerAgreement": "pseudonym-per-agreement",
    PREAU + "KeyedPerRecipientAndPurpose": "pseudonym-per-recipient-and-purpose",
}
PRECISIONS: Final[Mapping[str, Precision]] = {
    PREAU + "Minute": "minute",
    PREAU + "Hour": "hour",
    PREAU + "Day": "day",
    PREAU + "NoTime": "none",
}
NOT_MEASURED: Final = "not measured"
"""The plan's `linkage` before `preau dataset risk` has run on the dataset (X5)."""
_CODE: Final = "policy-plan-document"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a dataset's codebook.

    Attributes:
        name: what offers and applications call it.
        type: string, number, boolean, uuid, dateTime, date, agent, mixed, null; or nir, a social
            security number, which no plan lets leave.
        personal: "no", "indirect", "direct", "free-text" or "special"; anything else is treated
            as a direct identifier.
        pointer: RFC 6901 pointer, `-` for any index, for JSON rows.
        column: column name, for tables. Exactly one of both.
    """

    name: str
    pointer: str | None = None
    type: str = "string"
    personal: str = "no"
    column: str | None = None


Codebook = tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class PlanField:
    """A field that leaves, and how it is treated on its way (None: as it is)."""

    name: str
    type: str
    pointer: str | None = None
    column: str | None = None
    treatment: FieldTreatment | None = None

    def document(self) -> dict[str, object]:
        """The member of the plan's `fields`."""
        place = {"pointer": self.pointer, "column": self.column, "treatment": self.treatment}
        return {"name": self.name, "type": self.type} | _present(place)


def tells_more(pointer: str | None) -> bool:
    """Whether a field holds a result, an extension's value, or a table's column.

    Such values mark a row far more than who did what when: linkage is measured with and without
    them, and a plan that releases any of them announces the figure measured with all of them.
    """
    return pointer is None or pointer.startswith("/result") or "/extensions/" in pointer


@dataclass(frozen=True, slots=True)
class ConsentScope:
    """Whose rows may leave: those of persons whose consent state for `scope` allows the mode."""

    scope: Scope
    mode: Mode

    def document(self) -> dict[str, str]:
        """The member `consent` of the plan's `rows`."""
        return {
            "recipient": self.scope.recipient,
            "purpose": self.scope.purpose,
            "category": self.scope.category,
            "mode": self.mode,
        }


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows may leave: record time in `[start, end)`, and the consent scope.

    `undated` rows (of a table without a record time) are neither kept nor withheld by a period.
    """

    start: datetime | None = None
    end: datetime | None = None
    consent: ConsentScope | None = None
    undated: bool = False

    def document(self) -> dict[str, object]:
        """The plan's `rows`."""
        return _present(
            {
                "from": None if self.start is None else values.show(self.start),
                "to": None if self.end is None else values.show(self.end),
                "consent": None if self.consent is None else self.consent.document(),
                "undated": True if self.undated else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Treatments:
    """How persons, ids and times are treated (X5)."""

    actor: ActorTreatment = "pseudonym-per-agreement"
    ids: Literal["rekey"] = "rekey"
    time: Precision = "hour"

    @property
    def longitudinal(self) -> bool:
        """Whether pseudonyms stay the same across agreements of one recipient and purpose."""
        return self.actor == "pseudonym-per-recipient-and-purpose"

    def document(self) -> dict[str, object]:
        """The plan's `treatments`."""
        return {"actor": self.actor, "ids": self.ids, "time": self.time}


@dataclass(frozen=True, slots=True)
class PlanDuty:
    """A promise of the recipient.

    `due` is an instant, `elapsed` a duration from the agreement (when its date is not known yet),
    `within` a delay from `on`, the IRI of an event, or from the duty before.
    """

    kind: str
    id: str
    action: str
    assurance: str = "contractual"
    due: str | None = None
    elapsed: str | None = None
    within: str | None = None
    on: str | None = None

    def document(self) -> dict[str, object]:
        """The member of the plan's `duties`."""
        when = {"due": self.due, "elapsed": self.elapsed, "within": self.within, "on": self.on}
        head = {"kind": self.kind, "id": self.id, "action": self.action}
        return head | {"assurance": self.assurance} | _present(when)


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that happens at an instant, after a time since the agreement, or on an event.

    `do` is "begin" or "end" (of serving) or "due" (of the duty with this id).
    """

    do: Literal["begin", "end", "due"]
    at: str | None = None
    elapsed: str | None = None
    on: str | None = None
    duty: str | None = None

    def document(self) -> dict[str, object]:
        """The member of the plan's `triggers`."""
        when = {"at": self.at, "elapsed": self.elapsed, "on": self.on, "duty": self.duty}
        return {"do": self.do} | _present(when)


@dataclass(frozen=True, slots=True)
class Removal:
    """A field of the codebook that does not leave, and why."""

    name: str
    reason: RemovalReason


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled agreement. `removed` explains and is no part of the document or its digest."""

    agreement: str
    policy: str
    dataset: str
    rows: Rows
    fields: tuple[PlanField, ...]
    treatments: Treatments | None
    releases: int | None = None
    duties: tuple[PlanDuty, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    lane: Literal["rows"] = "rows"
    linkage: str = NOT_MEASURED
    removed: tuple[Removal, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """`sha-256:…` over the document."""
        return digest(self.document())

    @property
    def ends(self) -> datetime | None:
        """The first instant at which serving ends by date, None when no date ends it."""
        ends = [values.instant(t.at) for t in self.triggers if t.do == "end" and t.at is not None]
        return min((end for end in ends if end is not None), default=None)

    def document(self) -> dict[str, object]:
        """The plan as FORMATS has it."""
        return {
            "v": 1,
            "agreement": self.agreement,
            "policy": self.policy,
            "dataset": self.dataset,
            "lane": self.lane,
            "rows": self.rows.document(),
            "fields": [each.document() for each in self.fields],
            "treatments": {} if self.treatments is None else self.treatments.document(),
            "budgets": _present({"releases": self.releases}),
            "duties": [each.document() for each in self.duties],
            "triggers": [each.document() for each in self.triggers],
            "linkage": self.linkage,
        }

    def values(self) -> dict[str, tuple[Value, ...]]:
        """The values of the configuring operands, satisfied iff this plan satisfies them (P10)."""
        found = {PREAU + "fields": tuple(Value(each.name, STRING) for each in self.fields)}
        if self.treatments is None:
            return found
        treated = self.treatments
        actors = {name: term for term, name in ACTORS.items()}
        times = {name: term for term, name in PRECISIONS.items()}
        return found | {
            PREAU + "identifierTreatment": (iri(actors[treated.actor]),),
            PREAU + "timePrecision": (iri(times[treated.time]),),
            PREAU + "longitudinal": (Value("true" if treated.longitudinal else "false", BOOLEAN),),
        }

    @classmethod
    def read(cls, data: object) -> "Plan":
        """The plan that a JSON document is.

        Raises:
            Problem: `policy-plan-document` with the path and what was expected there.
        """
        return _read(data)

    def explain(self, lang: Language) -> list[str]:
        """What will leave, what will be removed and why, what was promised, in sentences."""
        return _explain(self, lang)


# --- reading -------------------------------------------------------------------------------

_PLAN_WORDS: Final = (
    "v agreement policy dataset lane rows fields treatments budgets duties triggers linkage"
)
_PLAN: Final = frozenset(_PLAN_WORDS.split())


def _read(data: object) -> Plan:
    members = Members(data, _CODE, "", _PLAN, frozenset())
    members.constant("v", 1)
    members.constant("lane", "rows")
    budgets = Members(
        members.value("budgets"), _CODE, "budgets", frozenset(), frozenset({"releases"})
    )
    return Plan(
        agreement=members.text("agreement"),
        policy=members.text("policy"),
        dataset=members.text("dataset"),
        rows=_read_rows(members),
        fields=tuple(_read_field(each, i) for i, each in enumerate(_list(members, "fields"))),
        treatments=_read_treatments(members),
        releases=budgets.integer("releases", 0) if "releases" in budgets else None,
        duties=tuple(_read_duty(each, i) for i, each in enumerate(_list(members, "duties"))),
        triggers=tuple(_read_trigger(each, i) for i, each in enumerate(_list(members, "triggers"))),
        linkage=members.text("linkage"),
    )


def _read_rows(members: Members) -> Rows:
    optional = frozenset({"from", "to", "consent", "undated"})
    rows = Members(members.value("rows"), _CODE, "rows", frozenset(), optional)
    start = values.instant(rows.time("from")) if "from" in rows else None
    end = values.instant(rows.time("to")) if "to" in rows else None
    undated = "undated" in rows
    dated = start is not None or end is not None
    if undated and (rows.value("undated") is not True or dated):
        raise rows.problem("undated", "true, with neither from nor to")
    if "consent" not in rows:
        return Rows(start, end, undated=undated)
    names = frozenset({"recipient", "purpose", "category", "mode"})
    scope = Members(rows.value("consent"), _CODE, "rows.consent", names, frozenset())
    mode: Mode = (
        "consent" if scope.one_of("mode", ("consent", "objection")) == "consent" else "objection"
    )
    found = Scope(scope.text("recipient"), scope.iri("purpose"), scope.text("category"))
    return Rows(start, end, ConsentScope(found, mode), undated)


def _read_field(data: object, index: int) -> PlanField:
    optional = frozenset({"pointer", "column", "treatment"})
    names = frozenset({"name", "type"})
    members = Members(data, _CODE, f"fields[{index}]", names, optional)
    if ("pointer" in members) == ("column" in members):
        raise members.problem("pointer", "either pointer or column")
    treatments: tuple[FieldTreatment, ...] = ("pseudonym", "rekey", "time")
    treatment = members.one_of("treatment", treatments) if "treatment" in members else None
    return PlanField(
        name=members.text("name"),
        type=members.text("type"),
        pointer=members.optional_text("pointer"),
        column=members.optional_text("column"),
        treatment=next((each for each in treatments if each == treatment), None),
    )


def _read_treatments(members: Members) -> Treatments | None:
    if members.value("treatments") == {}:
        return None
    names = frozenset({"actor", "ids", "time"})
    found = Members(members.value("treatments"), _CODE, "treatments", names, frozenset())
    found.constant("ids", "rekey")
    actor = found.one_of("actor", tuple(ACTORS.values()))
    time = found.one_of("time", tuple(PRECISIONS.values()))
    return Treatments(
        actor=next(each for each in ACTORS.values() if each == actor),
        time=next(each for each in PRECISIONS.values() if each == time),
    )


def _read_duty(data: object, index: int) -> PlanDuty:
    names = frozenset({"kind", "id", "action", "assurance"})
    optional = frozenset({"due", "elapsed", "within", "on"})
    members = Members(data, _CODE, f"duties[{index}]", names, optional)
    return PlanDuty(
        kind=members.one_of("kind", ("duty", "obligation", "prohibition")),
        id=members.text("id"),
        action=members.iri("action"),
        assurance=members.one_of("assurance", ("contractual", "declared")),
        due=members.time("due") if "due" in members else None,
        elapsed=members.optional_text("elapsed"),
        within=members.optional_text("within"),
        on=members.optional_text("on"),
    )


def _read_trigger(data: object, index: int) -> Trigger:
    optional = frozenset({"at", "elapsed", "on", "duty"})
    members = Members(data, _CODE, f"triggers[{index}]", frozenset({"do"}), optional)
    acts: tuple[Literal["begin", "end", "due"], ...] = ("begin", "end", "due")
    act = members.one_of("do", acts)
    return Trigger(
        do=next(each for each in acts if each == act),
        at=members.time("at") if "at" in members else None,
        elapsed=members.optional_text("elapsed"),
        on=members.optional_text("on"),
        duty=members.optional_text("duty"),
    )


def _list(members: Members, member: str) -> list[object]:
    value = members.value(member)
    if not isinstance(value, list):
        raise members.problem(member, "a list")
    return value


def _present(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not None}


# --- explaining ----------------------------------------------------------------------------

_REASONS: Final[Mapping[RemovalReason, phrases.Phrase]] = {
    "not-agreed": ("non demandé ou non accordé", "not asked for or not agreed"),
    "direct-identifier": ("identifie directement une personne", "identifies a person directly"),
    "free-text": ("texte libre, non demandé", "free text, not asked for"),
    "special-category": (
        "donnée sensible sans condition déclarée (article 9)",
        "special category without a declared condition (Article 9)",
    ),
    "no-time": ("dates et heures retirées", "dates and times removed"),
    "excluded": ("exclu par l'accord", "excluded by the agreement"),
}
_PRECISION_WORDS: Final[Mapping[Precision, phrases.Phrase]] = {
    "minute": ("arrondies à la minute", "cut to the minute"),
    "hour": ("arrondies à l'heure", "cut to the hour"),
    "day": ("arrondies au jour", "cut to the day"),
    "none": ("retirées", "removed"),
}
_ACTOR_WORDS: Final[Mapping[ActorTreatment, phrases.Phrase]] = {
    "pseudonym-per-agreement": (
        (
            "Chaque personne est remplacée par un pseudonyme propre à cet accord : données"
            " pseudonymisées (données personnelles)."
        ),
        "Each person is replaced by a pseudonym of this agreement: pseudonymised (personal data).",
    ),
    "pseudonym-per-recipient-and-purpose": (
        (
            "Chaque personne est remplacée par un pseudonyme stable pour ce destinataire et cette"
            " finalité, d'un accord à l'autre : données pseudonymisées (données personnelles)."
        ),
        (
            "Each person is replaced by a pseudonym that stays the same for this recipient and"
            " purpose from one agreement to the next: pseudonymised (personal data)."
        ),
    ),
}


def _explain(plan: Plan, lang: Language) -> list[str]:
    say = phrases.pick
    names = phrases.listing(each.name for each in plan.fields)
    lines = [say((f"Champs communiqués : {names}.", f"Fields that leave: {names}."), lang)]
    lines += _say_removed(plan, lang)
    lines += _say_rows(plan.rows, lang)
    if plan.treatments is not None:
        lines += _say_treatments(plan.treatments, lang)
    if plan.releases is not None:
        n = plan.releases
        lines.append(
            say((f"Nombre de communications : {n} au plus.", f"Releases: at most {n}."), lang)
        )
    lines += [_say_trigger(each, lang) for each in plan.triggers if each.do != "due"]
    lines += [_say_duty(each, lang) for each in plan.duties]
    return [*lines, _say_linkage(plan.linkage, lang)]


def _say_removed(plan: Plan, lang: Language) -> list[str]:
    lines = []
    for reason, words in _REASONS.items():
        names = phrases.listing(each.name for each in plan.removed if each.reason == reason)
        if names:
            why = phrases.pick(words, lang)
            lines.append(
                phrases.pick((f"Retirés ({why}) : {names}.", f"Removed ({why}): {names}."), lang)
            )
    return lines


def _say_rows(rows: Rows, lang: Language) -> list[str]:
    lines = []
    if rows.undated:
        words = (
            "Lignes non datées : une période n'en retient ni n'en écarte aucune.",
            "Rows without a date: a period neither keeps nor withholds any.",
        )
        lines.append(phrases.pick(words, lang))
    for edge, fr, en in (
        (rows.start, "Enregistrements à partir du", "Records from"),
        (rows.end, "Enregistrements avant le", "Records before"),
    ):
        if edge is not None:
            lines.append(f"{phrases.pick((fr, en), lang)} {phrases.moment(edge, lang)}.")
    if rows.consent is None:
        return lines
    purpose = phrases.name(rows.consent.scope.purpose, lang)
    said = {
        "consent": (
            f"Seulement les lignes dont toutes les personnes ont consenti (finalité : {purpose}).",
            f"Only rows in which every person has consented (purpose: {purpose}).",
        ),
        "objection": (
            f"Aucune ligne d'une personne qui s'y est opposée (finalité : {purpose}).",
            f"No row of a person who has objected (purpose: {purpose}).",
        ),
    }
    return [*lines, phrases.pick(said[rows.consent.mode], lang)]


def _say_treatments(treatments: Treatments, lang: Language) -> list[str]:
    time = phrases.pick(_PRECISION_WORDS[treatments.time], lang)
    return [
        phrases.pick(_ACTOR_WORDS[treatments.actor], lang),
        phrases.pick(
            ("Les identifiants techniques sont rechiffrés.", "Technical identifiers are re-keyed."),
            lang,
        ),
        phrases.pick((f"Dates et heures : {time}.", f"Dates and times: {time}."), lang),
    ]


def _say_trigger(trigger: Trigger, lang: Language) -> str:
    verb = {
        "begin": ("Début des communications", "Releases begin"),
        "end": ("Fin des communications", "Releases end"),
        "due": ("Échéance", "Due"),
    }[trigger.do]
    return f"{phrases.pick(verb, lang)}{_colon(lang)}{_when(trigger.at, trigger.elapsed, lang)}."


def _say_duty(duty: PlanDuty, lang: Language) -> str:
    head = {
        "duty": ("Obligation", "Duty"),
        "obligation": ("Obligation", "Obligation"),
        "prohibition": ("Interdiction", "Prohibition"),
    }[duty.kind]
    parts = [phrases.action(duty.action, lang)]
    if duty.due or duty.elapsed:
        by = phrases.pick(("au plus tard :", "no later than:"), lang)
        parts.append(f"{by} {_when(duty.due, duty.elapsed, lang)}")
    if duty.on:
        event = phrases.name(duty.on, lang)
        parts.append(phrases.pick((f"en cas de : {event}", f"in case of: {event}"), lang))
    length = values.duration(duty.within or "")
    if length is not None:
        span = phrases.span(length, lang)
        parts.append(phrases.pick((f"dans un délai de {span}", f"within {span}"), lang))
    held = {
        "contractual": ("engagement contractuel", "contractual promise"),
        "declared": ("déclaré par le destinataire", "declared by the recipient"),
    }[duty.assurance]
    what = f"{phrases.listing(parts)} ({phrases.pick(held, lang)})."
    return phrases.pick(head, lang) + _colon(lang) + what


def _say_linkage(linkage: str, lang: Language) -> str:
    if linkage == NOT_MEASURED:
        return phrases.pick(
            (
                "Rapprochement possible entre destinataires : non mesuré.",
                "Linkage between recipients: not measured.",
            ),
            lang,
        )
    return phrases.pick(
        (
            (
                f"Rapprochement par des destinataires de connivence : {linkage} (mesuré sur ce jeu"
                " de données ; d'autres moyens peuvent en trouver plus)."
            ),
            (
                f"Linkable by colluding recipients: {linkage} (measured on this dataset; other"
                " means may find more)."
            ),
        ),
        lang,
    )


def _when(at: str | None, elapsed: str | None, lang: Language) -> str:
    moment = values.instant(at or "")
    if moment is not None:
        return phrases.moment(moment, lang)
    length = values.duration(elapsed or "")
    span = "" if length is None else phrases.span(length, lang)
    return phrases.pick((f"{span} après l'accord", f"{span} after the agreement"), lang)


def _colon(lang: Language) -> str:
    return " : " if lang == "fr" else ": "
