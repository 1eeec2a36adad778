"""Which fields leave and how: each kind of field under each treatment, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from policies.application import Application, read
from policies.operands import Share
from policies.plan import DatasetFacts, Field, PlanField, Removal, Treatments
from policies.plan.choosing import fields, linkage, treatments
from policies.plan.fields import tells_more
from policies.problem import Problem
from policies.vocabulary import PREAU

BOOK = (
    Field("actor", "/actor", "agent", "direct"),
    Field("author", "/author", "agent", "no"),
    Field("id", "/id"),
    Field("session", "/context/s", "uuid", "indirect"),
    Field("moment", "/timestamp", "dateTime", "indirect"),
    Field("day", None, "date", "indirect", "day"),
    Field("verb", "/verb/id"),
    Field("answer", "/result/response", "string", "free-text"),
    Field("disability", "/d", "string", "special"),
    Field("mail", "/m", "string", "direct"),
    Field("odd", "/odd", "string", "something-new"),
    Field("number", "/n", "nir", "no"),
)
PLAIN = DatasetFacts("urn:d", BOOK, personal=False, basis=None, category="x")
ALL = [each.name for each in BOOK if each.type != "nir"]
HOUR, TIMELESS = Treatments(), Treatments(time="none")


def asking(asked: dict[str, Any], names: list[str]) -> Application:
    return read({**asked, "fields": names})


def chosen(
    treated: Treatments | None,
    application: Application | None = None,
    share: Share = Share(),  # noqa: B008  (frozen)
    dataset: DatasetFacts = PLAIN,
) -> dict[str, str | None]:
    """Of every field its treatment when it leaves, "-reason" when it does not."""
    kept, removed = fields(share, application, dataset, treated)
    assert [each.name for each in kept] == sorted(each.name for each in kept)
    assert [each.name for each in removed] == sorted(each.name for each in removed)
    return {each.name: each.treatment for each in kept} | {
        each.name: f"-{each.reason}" for each in removed
    }


UNASKED = {
    "actor": "-direct-identifier",
    "author": "-direct-identifier",
    "id": None,
    "session": None,
    "moment": None,
    "day": None,
    "verb": None,
    "answer": "-free-text",
    "disability": "-special-category",
    "mail": "-direct-identifier",
    "odd": "-direct-identifier",
    "number": "-direct-identifier",
}
TREATED = {"actor": "pseudonym", "author": "pseudonym", "id": "rekey", "session": "rekey"}


def test_what_leaves_untreated_when_nobody_asks():
    assert chosen(None) == UNASKED


def test_what_leaves_treated_when_nobody_asks():
    assert chosen(HOUR) == UNASKED | TREATED | {"moment": "time"}


def test_without_times_neither_instants_nor_days_leave():
    assert chosen(TIMELESS) == UNASKED | TREATED | {"moment": "-no-time", "day": "-no-time"}


def test_what_is_asked_for_by_name(asked: dict[str, Any]):
    found = chosen(HOUR, asking(asked, ALL))
    assert found == UNASKED | TREATED | {"moment": "time", "answer": None}
    some = chosen(HOUR, asking(asked, ["verb", "answer"]))
    assert [name for name, state in some.items() if state == "-not-agreed"] == [
        *("actor", "author", "day", "disability", "id", "mail", "moment", "odd", "session")
    ]
    assert some["number"] == "-direct-identifier"


def test_what_is_agreed_is_what_both_name(asked: dict[str, Any]):
    agreed = Share(fields=frozenset({"verb", "day"}), without=frozenset({"day"}))
    found = chosen(None, asking(asked, ["verb", "day", "id"]), agreed)
    assert {name: found[name] for name in ("verb", "day", "id")} == {
        "verb": None,
        "day": "-excluded",
        "id": "-not-agreed",
    }
    alone = chosen(None, None, Share(fields=frozenset({"answer"})))
    assert {name for name, state in alone.items() if state is None} == {"answer"}


def test_a_declared_condition_lets_a_special_field_leave():
    known = replace(PLAIN, special=frozenset({"disability"}))
    assert chosen(None, dataset=known) == UNASKED | {"disability": None}


def test_places_and_types_are_those_of_the_codebook():
    kept, removed = fields(Share(), None, PLAIN, HOUR)
    assert PlanField("day", "date", None, "day") in kept
    assert PlanField("moment", "dateTime", "/timestamp", None, "time") in kept
    assert Removal("mail", "direct-identifier") in removed
    assert Field("x") == Field("x", None, "string", "no", None)


@pytest.mark.parametrize(
    ("names", "share", "code", "params"),
    [
        (
            ["verb", "y", "x"],
            Share(),
            "policy-plan-unknown-field",
            {"path": "application.fields", "field": "x, y"},
        ),
        (
            ["verb"],
            Share(fields=frozenset({"z"})),
            "policy-plan-unknown-field",
            {"path": "fields", "field": "z"},
        ),
        (
            ["verb"],
            Share(without=frozenset({"z"})),
            "policy-plan-unknown-field",
            {"path": "fields", "field": "z"},
        ),
        (["verb", "number"], Share(), "policy-plan-nir", {"field": "number"}),
        (["verb"], Share(fields=frozenset({"number"})), "policy-plan-nir", {"field": "number"}),
        (["verb"], Share(without=frozenset({"verb"})), "policy-plan-no-fields", {}),
        (["verb"], Share(fields=frozenset({"id"})), "policy-plan-no-fields", {}),
    ],
)
def test_what_is_refused(
    names: list[str], share: Share, code: str, params: dict[str, str], asked: dict[str, Any]
):
    with pytest.raises(Problem) as caught:
        fields(share, asking(asked, names), PLAIN, None)
    assert caught.value.code == code
    assert params.items() <= dict(caught.value.params).items()


def test_ten_unknown_names_are_named():
    many = Share(fields=frozenset(f"x{n:02d}" for n in range(12)))
    with pytest.raises(Problem) as caught:
        fields(many, None, PLAIN, None)
    assert caught.value.params["field"] == ", ".join(f"x{n:02d}" for n in range(10))
    numbers = tuple(Field(f"n{n:02d}", "/n", "nir") for n in range(12))
    with pytest.raises(Problem) as caught:
        fields(
            Share(fields=frozenset(each.name for each in numbers)),
            None,
            replace(PLAIN, codebook=numbers),
            None,
        )
    assert caught.value.params["field"] == ", ".join(f"n{n:02d}" for n in range(10))


# --- treatments ----------------------------------------------------------------------------------

OWN, STABLE = PREAU + "KeyedPerAgreement", PREAU + "KeyedPerRecipientAndPurpose"
PERSONAL = replace(PLAIN, personal=True, basis="consent")
BOTH = frozenset({OWN, STABLE})


@pytest.mark.parametrize(
    ("share", "dataset", "expected"),
    [
        (Share(), PLAIN, None),
        (Share(), PERSONAL, Treatments()),
        (Share(longitudinal=False), PLAIN, Treatments()),
        (Share(times=frozenset({PREAU + "Day"})), PLAIN, Treatments(time="day")),
        (Share(identifiers=BOTH), PLAIN, Treatments()),
        (
            Share(identifiers=BOTH, longitudinal=True),
            PERSONAL,
            Treatments("pseudonym-per-recipient-and-purpose"),
        ),
        (Share(longitudinal=True), PERSONAL, Treatments("pseudonym-per-recipient-and-purpose")),
        (
            Share(times=frozenset({PREAU + "Minute", PREAU + "Day"})),
            PERSONAL,
            Treatments(time="minute"),
        ),
        (Share(times=frozenset({PREAU + "NoTime"})), PERSONAL, Treatments(time="none")),
    ],
)
def test_treatments(share: Share, dataset: DatasetFacts, expected: Treatments | None):
    assert treatments(share, dataset) == expected


@pytest.mark.parametrize(
    ("share", "operand"),
    [
        (Share(identifiers=frozenset({OWN}), longitudinal=True), "preau:identifierTreatment"),
        (Share(identifiers=frozenset({STABLE})), "preau:identifierTreatment"),
        (Share(identifiers=frozenset()), "preau:identifierTreatment"),
        (Share(times=frozenset()), "preau:timePrecision"),
    ],
)
def test_treatments_that_contradict(share: Share, operand: str):
    with pytest.raises(Problem) as caught:
        treatments(share, PERSONAL)
    assert caught.value.code == "policy-plan-contradiction"
    assert caught.value.params["operand"] == operand


# --- linkage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pointer", "more"),
    [
        (None, True),
        ("/result/score", True),
        ("/result", True),
        ("/context/extensions/x", True),
        ("/extensions", False),
        ("/verb/id", False),
        ("/context/result", False),
    ],
)
def test_what_marks_a_row(pointer: str | None, more: bool):
    assert tells_more(pointer) is more


@pytest.mark.parametrize(
    ("field", "treated", "said"),
    [
        (PlanField("v", "string", "/verb"), HOUR, "few"),
        (PlanField("r", "string", "/result/x"), HOUR, "all"),
        (PlanField("r", "uuid", "/result/x", None, "rekey"), HOUR, "few"),
        (PlanField("r", "agent", "/result/x", None, "pseudonym"), HOUR, "few"),
        (PlanField("r", "dateTime", "/result/x", None, "time"), HOUR, "all"),
        (PlanField("v", "string", "/verb"), TIMELESS, "not measured"),
        (PlanField("v", "string", "/verb"), None, "not measured"),
    ],
)
def test_the_figure_announced(field: PlanField, treated: Treatments | None, said: str):
    known = replace(PLAIN, linkage={("hour", False): "few", ("hour", True): "all"})
    assert linkage((field,), treated, known) == said
