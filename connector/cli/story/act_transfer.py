"""Acts 5 to 7: fetch under consent, a withdrawal on the way, and what arrived, to the last row."""

import json
from collections.abc import Iterator
from typing import Final

from catalog import proofs
from catalog.verify import assertion_keys
from connector.base.clock import format_time
from connector.cli.client import segment
from connector.cli.story import consents
from connector.cli.story.act_consent import about, scope
from connector.cli.story.deals import TRACES, follow
from connector.cli.story.facts import Timer, mismatch
from connector.cli.story.matching import Mismatch, match_all_but_one
from connector.cli.story.scene import Json, Scene
from connector.cli.story.search import Needles
from connector.cli.story.source import Statement
from connector.cli.story.treated import Announced, Row, learner_key
from policies.jcs import digest
from policies.problem import Problem

FILES: Final = (
    "agreement.en.txt",
    "agreement.fr.txt",
    "codebook.json",
    "data.ndjson",
    "manifest.json",
    "receipt.json",
)


def fetch(scene: Scene) -> None:
    """One part, a withdrawal, the rest; then every row is accounted for."""
    with scene.act(
        5,
        "transfer",
        "Le transfert, et un retrait en cours de route",
        "The transfer, and a withdrawal on the way",
    ):
        researcher = scene.lab.who("researcher")
        body = {"agreement": scene.traces.agreement, "format": "ndjson"}
        timer = Timer()
        made = researcher.post("/v1/transfers", body)
        path = f"/v1/transfers/{segment(made['pid'])}"
        command = f"transfer fetch {scene.traces.agreement} --out received"
        scene.voice.command(scene.lab, command + " --parts 1")
        first = follow(researcher, path, parts=1)
        before = timer.split()
        scene.board.note(
            ("parties reçues avant le retrait", "parts received before the withdrawal"),
            1,
            first["fetch"]["parts"],
            detail=True,
        )
        _withdraw(scene)
        scene.voice.command(scene.lab, command)
        timer = Timer()
        again = researcher.post("/v1/transfers", body)
        last = follow(researcher, path, parts=None)
        seconds = before + timer.split()
        scene.board.note(
            ("la même commande poursuit le même transfert", "the same command goes on with it"),
            made["pid"],
            again["pid"],
            detail=True,
        )
        scene.traces.save(path, last)
        _account_for(scene)
        scene.board.measure(
            "transfer", ("transfert sous consentement", "gated transfer"), seconds, "s"
        )


def search(scene: Scene) -> None:
    """No direct identifier of any learner, consenting or not, in any byte that arrived."""
    with scene.act(6, "identifiers", "Aucun identifiant direct", "No direct identifier"):
        needles = Needles.of(row.value for row in scene.source.statements)
        found = needles.search(scene.folders.received)
        for name, among, count in (
            (("noms de compte, courriels", "account names, mboxes"), needles.names, found.names),
            (("adresses des comptes", "account home pages"), needles.homes, found.homes),
            (
                ("identifiants d'énoncés, de sessions", "ids of rows, sessions"),
                needles.ids,
                found.ids,
            ),
        ):
            scene.board.judge(
                (f"retrouvés : {name[0]}", f"found: {name[1]}"),
                (f"0 sur {len(among)}", f"0 of {len(among)}"),
                (f"{count} sur {len(among)}", f"{count} of {len(among)}"),
                ok=count == 0 and bool(found.bytes),
                detail=among is not needles.names,
            )


def files(scene: Scene) -> None:
    """The files beside the data: complete, signed by whom they should be, readable by people."""
    with scene.act(7, "files", "Les fichiers reçus", "The received files"):
        folder, board = scene.folders.received, scene.board
        board.note(
            ("fichiers", "files"),
            ", ".join(FILES),
            ", ".join(sorted(path.name for path in folder.iterdir())),
            detail=True,
        )
        manifest = _json(scene, "manifest.json")
        receipt = _json(scene, "receipt.json")
        lines = _lines(scene)
        board.note(("manifeste", "manifest"), "complete", manifest["state"], detail=True)
        board.note(
            ("lignes selon le manifeste", "rows by the manifest"),
            sum(part["rows"] for part in manifest["parts"]),
            len(lines),
            detail=True,
        )
        board.note(
            ("manifeste signé par la plateforme", "manifest signed by the platform"),
            True,
            _signed(scene, manifest, scene.platform.did),
        )
        board.note(
            (
                "reçu signé par le laboratoire",
                "receipt signed by the lab",
            ),
            True,
            _signed(scene, receipt, scene.lab.did)
            and receipt["manifest"] == digest(_unsigned(manifest)),
        )
        words = {
            lang: (folder / f"agreement.{lang}.txt").read_text("utf-8") for lang in ("fr", "en")
        }
        day = str(manifest["expires"])[:10]
        board.note(
            ("date d'expiration dans les textes", "expiry date in the texts"),
            True,
            all(day in text for text in words.values()),
            detail=True,
        )


def _withdraw(scene: Scene) -> None:
    """A learner with many rows withdraws; the officer records it, and it counts at once."""
    account = scene.withdrawn = scene.source.talkative()
    at = format_time(scene.clock.now())
    scene.voice.command(
        scene.platform,
        "consent withdraw --subject account … --recipient … --purpose … --category …",
    )
    scene.platform.who("dpo").post("/v1/consents", {"status": "withdrawn", **about(scene, account)})
    path = scene.folders.expected / "withdrawals.csv"
    consents.write_withdrawal(path, account, scope(scene), at)


def _account_for(scene: Scene) -> None:
    """Rows received = rows of those who consent, exactly; nothing but the agreed fields."""
    announced = Announced.read(scene.traces.plan)
    lines = _lines(scene)
    manifest = _json(scene, "manifest.json")
    early = int(manifest["parts"][0]["rows"])
    staying = list(_treated(announced, scene, stays=True))
    parting = list(_treated(announced, scene, stays=False))
    received = [announced.row(line, treat=False) for line in lines]
    board = scene.board
    try:
        names, pseudonym, before = match_all_but_one(staying, parting, received, early)
    except Mismatch as reason:
        expected = f"{len(staying):,}"
        board.judge(_EXACT, (expected, expected), mismatch(reason), ok=False)
        return
    scene.pseudonyms[TRACES] = dict(names.learners)
    if pseudonym is not None and scene.withdrawn is not None:
        scene.pseudonyms[TRACES][learner_key(scene.withdrawn)] = pseudonym
    board.note(_EXACT, len(staying) + before, len(received))
    board.note(
        ("un pseudonyme par apprenant", "one pseudonym per learner"),
        len({row.learner for row in staying}),
        len(set(names.learners.values())),
        detail=True,
    )
    board.note(
        ("un identifiant rechiffré par identifiant", "one re-keyed id per id"),
        len(names.ids),
        len(set(names.ids.values())),
        detail=True,
    )
    after = sum(row.learner == pseudonym for row in received[early:]) if pseudonym else 0
    board.judge(
        (
            "lignes de qui s'est retiré, ensuite",
            "rows of who withdrew, in later parts",
        ),
        ("0", "0"),
        (
            f"{after} (avant : {before} ; retenues : {len(parting) - before})",
            f"{after} (before: {before}; withheld: {len(parting) - before})",
        ),
        ok=after == 0 and before < len(parting) and len(manifest["parts"]) > 1,
    )
    beyond = {pointer for line in lines for pointer in announced.beyond(line)}
    board.note(("champs hors de l'accord", "fields beyond the agreement"), 0, len(beyond))


_EXACT: Final = (
    "lignes reçues = celles de qui consent",
    "rows received = those of who consents",
)


def _treated(announced: Announced, scene: Scene, *, stays: bool) -> Iterator[Row]:
    """The rows that may leave, treated as announced: of those who stay, or of who withdrew."""
    for row in scene.source.consenting:
        if _concerns(row, scene) is not stays:
            yield announced.row(row.value, treat=True)


def _concerns(row: Statement, scene: Scene) -> bool:
    """Whether a row names the person who withdrew."""
    return scene.withdrawn in row.persons


def _lines(scene: Scene) -> list[Json]:
    with (scene.folders.received / "data.ndjson").open("rb") as data:
        return [json.loads(line) for line in data]


def _json(scene: Scene, name: str) -> Json:
    found: Json = json.loads((scene.folders.received / name).read_bytes())
    return found


def _unsigned(document: Json) -> Json:
    return {name: value for name, value in document.items() if name != "proof"}


def _signed(scene: Scene, document: Json, did: str) -> bool:
    """Whether a document carries a valid proof by a key of this DID."""
    node = scene.platform if did == scene.platform.did else scene.lab
    keys = assertion_keys(json.loads(scene.public(node, "/.well-known/did.json")), did)
    try:
        proofs.verify(document, keys.__getitem__)
    except (Problem, KeyError):
        return False
    return True
