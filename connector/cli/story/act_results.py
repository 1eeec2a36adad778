"""Act 8: a table on a public task; three persons object; the lab receives all others' rows."""

from typing import Final

from connector.cli.client import segment
from connector.cli.story import about, nodes, pupils, tables
from connector.cli.story.act_catalog import upload
from connector.cli.story.deals import RESULTS, Deal
from connector.cli.story.facts import mismatch
from connector.cli.story.matching import Mismatch, match
from connector.cli.story.scene import Json, Scene, counterpart, draft, negotiation

_ALWAYS: Final = ("2000-01-01", "2100-01-01")
_TITLE: Final = "Ce que disent les épreuves communes"


def play(scene: Scene) -> None:
    """Publish, object, ask for everything, and account for every row and column."""
    with scene.act(8, "results", "Une table, trois oppositions", "A table, three objections"):
        if own(scene):
            _refuse_nir(scene)
        made = _publish(scene)
        _object(scene)
        deal = _agree(scene, str(made["dataset"]))
        scene.voice.command(
            scene.lab, f"transfer fetch {deal.agreement} --out received/{RESULTS} --format csv"
        )
        deal.fetch("csv")
        _account_for(scene, deal)


def own(scene: Scene) -> bool:
    """Whether the table is the demo's own, of which more is known than is declared."""
    return scene.table.path.parent == scene.folders.expected


def _refuse_nir(scene: Scene) -> None:
    """A social security number that nobody declared: no publication at all."""
    undeclared = scene.folders.expected / "results-undeclared.toml"
    undeclared.write_text(about.results(scene.until(), with_nir=False), "utf-8")
    with scene.board.refused(
        (
            "publier des numéros de sécurité sociale",
            "publishing social security numbers",
        ),
        "dataplane-nir",
    ):
        upload(scene.authority, scene.table.path, undeclared)


def _publish(scene: Scene) -> Json:
    table = scene.table
    name, declared = table.path.name, table.about.name
    scene.voice.command(scene.authority, f"dataset add {name} --about {declared}")
    made = upload(scene.authority, table.path, table.about)
    counts = made["counts"]
    scene.voice.tell(
        f"{counts['rows']} lignes, {counts['persons']} personnes",
        f"{counts['rows']} rows, {counts['persons']} persons",
    )
    return made


def _object(scene: Scene) -> None:
    """Three persons object to the lab's use: three commands, as the data protection officer."""
    declared = scene.table.declared
    use = (
        *("--recipient", scene.lab.did, "--purpose", declared.purpose),
        *("--category", declared.category),
    )
    scene.voice.command(scene.authority, "consent object --subject column … --recipient …   (× 3)")
    made = nodes.run_all(
        (scene.authority, "dpo", "consent", "object", "--subject", "column", name, space, *use)
        for space, name in scene.table.objectors
    )
    states = [one["state"] for one in made]
    scene.board.note(
        ("oppositions enregistrées", "objections recorded"),
        tables.OBJECTORS,
        states.count("objected"),
        detail=True,
    )


def _agree(scene: Scene, dataset: str) -> Deal:
    """The lab asks for all fields there are; people decide where the declaration says so."""
    researcher, dpo = scene.lab.who("researcher"), scene.authority.who("dpo")
    seen = researcher.get("/v1/catalogs", peer=scene.authority.did)
    fields = next(tuple(one["fields"]) for one in seen["datasets"] if one["id"] == dataset)
    declared = scene.table.declared
    end = min(scene.until()[:10], declared.until)
    if own(scene):
        asked = draft(declared.purpose, fields, _ALWAYS, end, _TITLE)
        scene.voice.command(scene.lab, f"request {dataset} --application everything.json")
        made = researcher.post("/v1/requests", {"dataset": dataset, "application": asked})
        refused = negotiation(researcher, made["pid"], until="SETTLED")
        scene.board.note(
            ("demande qui nomme le NIR", "request that names the NIR"),
            "TERMINATED",
            refused["state"],
        )
        fields = tuple(name for name in fields if name != pupils.NIR)
    asked = draft(declared.purpose, fields, _ALWAYS, end, _TITLE)
    scene.voice.command(scene.lab, f"request {dataset} --application results.json")
    made = researcher.post("/v1/requests", {"dataset": dataset, "application": asked})
    _approve(scene, counterpart(researcher, made["pid"]))
    final = negotiation(researcher, made["pid"], until="FINALIZED")
    negotiation(dpo, str(final["peer_pid"]), until="FINALIZED")
    folder = scene.folders.arrived(RESULTS)
    deal = Deal(RESULTS, scene.authority, scene.lab, str(final["agreement"]), folder)
    deal.read_plan()
    scene.deals[RESULTS] = deal
    return deal


def _approve(scene: Scene, pid: str) -> None:
    """Whoever the declaration says must decide says yes, one after the other."""
    officer = scene.authority.who("dpo")
    found = negotiation(officer, pid, until="SETTLED")
    while found["awaiting"] and found["state"] != "TERMINATED":
        role = str(found["awaiting"][0])
        body = {"role": role, "outcome": "approve", "reason": ""}
        path = f"/v1/negotiations/{segment(pid)}/decisions"
        scene.authority.who(role).post(path, body)
        found = negotiation(officer, pid, until="SETTLED")


def _account_for(scene: Scene, deal: Deal) -> None:
    """Rows received = rows of who does not object, exactly; no column that may not leave."""
    table, board = scene.table, scene.board
    header, arrived = tables.received(deal.received / "data.csv")
    agreed = tuple(str(field["name"]) for field in deal.plan["fields"])
    columns = tuple(name for name in table.header if name in agreed)
    time = str(deal.plan["treatments"].get("time", "exact"))
    expected = [table.sent(row, columns, time) for row in table.leaving]
    name = (
        "lignes reçues = de qui ne s'oppose pas",
        "rows received = those of who does not object",
    )
    try:
        names = match(expected, [table.arrived(row, columns) for row in arrived])
    except (Mismatch, KeyError) as error:
        reason = error if isinstance(error, Mismatch) else Mismatch(*2 * ("colonnes / columns",))
        board.judge(name, (str(len(expected)),) * 2, mismatch(reason), ok=False)
    else:
        scene.pseudonyms[RESULTS] = dict(names.learners)
        board.note(name, len(expected), len(arrived))
        board.note(
            ("un pseudonyme par personne", "one pseudonym per person"),
            len({row.learner for row in expected}),
            len(set(names.learners.values())),
            detail=True,
        )
        _objectors(scene, names.learners)
    _columns(scene, columns, header)


def _columns(scene: Scene, agreed: tuple[str, ...], header: tuple[str, ...]) -> None:
    """The columns that may arrive: written down for our own table, by the plan for another."""
    declared, board = scene.table.declared, scene.board
    away = declared.withheld | declared.direct
    wanted = ("ine", *pupils.SENT) if own(scene) else tuple(n for n in agreed if n not in away)
    board.note(
        ("colonnes reçues", "columns received"), ", ".join(wanted), ", ".join(header), detail=True
    )
    for name, withheld in (
        (
            ("sensible, sans condition de l'article 9", "special data, no Art. 9 condition"),
            declared.withheld,
        ),
        (("colonnes d'identité directe", "columns of direct identity"), declared.direct),
    ):
        said, there = ", ".join(sorted(withheld)), ", ".join(sorted(withheld & set(header)))
        board.judge(
            name,
            (f"sans {said}", f"no {said}"),
            (there or f"{len(header)} colonnes, sans", there or f"{len(header)} columns, none"),
            ok=not there and withheld <= set(scene.table.header),
            detail=withheld is declared.direct,
        )


def _objectors(scene: Scene, paired: dict[str, str]) -> None:
    """Nobody who objects has a pseudonym, and their rows are what is missing."""
    table = scene.table
    objecting = {row[table.who].strip() for row in table.objecting}
    rows = len(table.objecting)
    scene.board.judge(
        ("opposants parmi les personnes reçues", "objectors among those received"),
        ("0", "0"),
        (
            f"{len(objecting & paired.keys())} ({rows} lignes retenues)",
            f"{len(objecting & paired.keys())} ({rows} rows withheld)",
        ),
        ok=not objecting & paired.keys() and len(table.objectors) == tables.OBJECTORS and rows > 0,
    )
