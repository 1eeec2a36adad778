"""Act 9: the same traces to a second recipient, and what both of them could do together."""

import json
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from math import sqrt
from typing import Final

from connector.cli.story import tables
from connector.cli.story.about import IMPROVEMENT
from connector.cli.story.act_consent import SECOND_RECIPIENT
from connector.cli.story.act_request import decide
from connector.cli.story.consents import consents
from connector.cli.story.deals import RESULTS, SECOND, TRACES, Deal
from connector.cli.story.facts import mismatch
from connector.cli.story.matching import Mismatch, match
from connector.cli.story.scene import Json, Scene, counterpart, draft, negotiation
from connector.cli.story.treated import Announced, Row, learner_of
from connector.dataplane.risk import best_join
from policies.problem import Problem

_TITLE: Final = "Quelles vidéos faut-il refaire ?"
_ROUNDED: Final = 1.0


def play(scene: Scene) -> None:
    """Agree for another purpose, fetch, join the two files, and say what absence tells."""
    with scene.act(9, "linkage", "Deux destinataires, côte à côte", "Two recipients, side by side"):
        deal = _agree(scene)
        command = f"transfer fetch {deal.agreement} --out received/{SECOND}"
        scene.voice.command(scene.authority, command)
        deal.fetch("ndjson")
        _account_for(scene, deal)
        _join(scene, deal)
        _absence(scene)


def _agree(scene: Scene) -> Deal:
    """The school authority asks for less, to improve teaching; the officer agrees at once."""
    researcher, dpo = scene.authority.who("researcher"), scene.platform.who("dpo")
    fields = tuple(
        str(field["name"])
        for field in scene.traces.plan["fields"]
        if not str(field["pointer"]).startswith(("/result", "/context/extensions"))
    )
    asked = draft(IMPROVEMENT, fields, scene.source.period, scene.until()[:10], _TITLE)
    scene.voice.command(scene.authority, f"request {scene.dataset} --application improve.json")
    made = researcher.post("/v1/requests", {"dataset": scene.dataset, "application": asked})
    there = counterpart(researcher, made["pid"])
    negotiation(dpo, there, until="SETTLED")
    scene.voice.command(scene.platform, "negotiation decide … --as dpo --approve")
    decide(scene, there, {"outcome": "approve", "reason": ""})
    final = negotiation(researcher, made["pid"], until="FINALIZED")
    negotiation(dpo, there, until="FINALIZED")
    folder = scene.folders.arrived(SECOND)
    deal = Deal(SECOND, scene.platform, scene.authority, str(final["agreement"]), folder)
    deal.read_plan()
    scene.deals[SECOND] = deal
    return deal


def _account_for(scene: Scene, deal: Deal) -> None:
    """Exactly the rows of those who said yes to this recipient and this purpose."""
    announced = Announced.read(deal.plan)
    said_yes = scene.source.permitted(partial(consents, recipient=SECOND_RECIPIENT))
    expected = [announced.row(row.value, treat=True) for row in said_yes]
    lines = _rows(deal)
    name = (
        "lignes reçues = celles de qui y consent",
        "rows received = those of who consents to it",
    )
    try:
        names = match(expected, [announced.row(line, treat=False) for line in lines])
    except Mismatch as reason:
        scene.board.judge(name, (str(len(expected)),) * 2, mismatch(reason), ok=False)
        return
    scene.pseudonyms[SECOND] = dict(names.learners)
    scene.board.note(name, len(expected), len(lines))
    ours, theirs = (set(scene.pseudonyms.get(key, {}).values()) for key in (TRACES, SECOND))
    scene.board.note(
        ("pseudonymes communs aux deux fichiers", "pseudonyms that both files share"),
        0,
        len(ours & theirs),
        detail=True,
    )


def _join(scene: Scene, deal: Deal) -> None:
    """Link both files on rows and on histories; the truth comes from the source, to count."""
    ours, theirs = scene.pseudonyms.get(TRACES, {}), scene.pseudonyms.get(SECOND, {})
    same = {_name(ours[who]): _name(theirs[who]) for who in ours.keys() & theirs.keys()}
    found = best_join(_rows(scene.traces), _rows(deal), same)
    figures = [str(one.plan["linkage"]) for one in (scene.traces, deal)]
    announced = " / ".join(dict.fromkeys(figures))
    # The announcement is a mean over simulated pairs, this is one pair: chance is allowed for.
    limit = min(_most(one) for one in figures)
    chance = 3 * sqrt(limit * (100 - limit) / max(1, found.common))
    best, rows = (f"{100 * one:.1f} %" for one in (found.best, found.rows))
    scene.board.judge(
        ("personnes reliées, fichiers mis ensemble", "persons linked by joining both files"),
        (f"annoncé : {announced}", f"announced: {announced}"),
        (
            f"{best} de {found.common} ; par lignes {rows}".replace(".", ","),
            f"{best} of {found.common}; by rows {rows}",
        ),
        ok=found.common > 0 and 100 * found.best <= limit + _ROUNDED + chance,
    )


def _absence(scene: Scene) -> None:
    """T4: what the node says a class list still tells, and what it really tells."""
    for node, dataset, deal in (
        (scene.platform, scene.dataset, scene.traces),
        (scene.authority, None, scene.deals[RESULTS]),
    ):
        name = scene.table.declared.id if dataset is None else dataset.rpartition("/")[2]
        scene.voice.command(node, f"dataset show {name}")
        told = _told(node.who("steward").get(f"/v1/datasets/{name}/risk"), deal)
        for french, english in zip(told["fr"][:2], told["en"][:2], strict=True):
            scene.voice.tell(french, english)
        listed, there = _counts(scene, deal)
        expected = (_about(listed), _about(listed // 10 * 10 - there // 10 * 10))
        kind = ("traces", "traces") if dataset else ("table", "table")
        scene.board.judge(
            (f"absents, dit le nœud ({kind[0]})", f"absent, as the node says ({kind[1]})"),
            (f"{expected[1]} sur {expected[0]}", f"{expected[1]} of {expected[0]}"),
            (f"{told['absent']} sur {told['listed']}", f"{told['absent']} of {told['listed']}"),
            ok=(told["listed"], told["absent"]) == expected,
            detail=dataset is not None,
        )
    _recognise(scene)


def _recognise(scene: Scene) -> None:
    """Who knows the class and its results looks for each pupil: who is missing has objected."""
    table, deal = scene.table, scene.deals[RESULTS]
    agreed = {str(field["name"]) for field in deal.plan["fields"]} - table.declared.subjects.keys()
    columns = tuple(name for name in table.header if name in agreed)
    time = str(deal.plan["treatments"].get("time", "exact"))
    _, rows = tables.received(deal.received / "data.csv")
    known = _histories(table.sent(row, (*columns, table.who), time) for row in table.rows)
    left = _histories(table.sent(row, (*columns, table.who), time) for row in table.leaving)
    seen = set(_histories(table.arrived(row, (*columns, table.who)) for row in rows).values())
    names = {name for _, name in table.objectors}
    foreseen = sum(known[name] not in set(left.values()) for name in names)
    named = sum(known[name] not in seen for name in names)
    scene.board.judge(
        (
            "opposants révélés par la liste et les notes",
            "objectors revealed by class list and marks",
        ),
        (f"prévu : {foreseen} sur {len(names)}", f"foreseen: {foreseen} of {len(names)}"),
        (f"{named} sur {len(names)}", f"{named} of {len(names)}"),
        ok=named == foreseen,
    )


def _histories(rows: Iterable[Row]) -> dict[str, tuple[str, ...]]:
    """What the rows of each person say, whoever they are."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row.learner].append(row.rest)
    return {who: tuple(sorted(said)) for who, said in found.items()}


def _told(view: Json, deal: Deal) -> Json:
    """What the node tells its own people about one agreement's file."""
    found: list[Json] = [one for one in view["absence"] if one["agreement"] == deal.agreement]
    if not found:
        raise Problem("demo-not-reached", wanted="absence", state="", reasons="")
    return found[-1]


def _counts(scene: Scene, deal: Deal) -> tuple[int, int]:
    """Persons in the source, and persons whose rows arrived."""
    if deal.key == RESULTS:
        _, rows = tables.received(deal.received / "data.csv")
        return len(scene.table.persons), len({row[scene.table.who] for row in rows})
    return len(scene.source.accounts), len({learner_of(row) for row in _rows(deal)})


def _about(count: int) -> str:
    """As a manifest counts persons: down to ten."""
    return str(count // 10 * 10) if count >= 10 else "<10"


def _most(share: str) -> float:
    """The highest share, in percent, that an announced one can stand for."""
    if not share.endswith("%"):
        return 0.0
    number = float(share.strip("<>% "))
    return 100.0 if share.startswith(">") else number + 0.5


def _rows(deal: Deal) -> list[Json]:
    with (deal.received / "data.ndjson").open("rb") as data:
        return [json.loads(line) for line in data]


def _name(learner: str) -> str:
    """The pseudonym itself: the name of the received account."""
    return str(json.loads(learner)[1])
