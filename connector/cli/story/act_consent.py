"""Act 2: the platform's data protection officer imports what learners said."""

from typing import Final

from connector.cli.story import consents
from connector.cli.story.about import CATEGORY, IMPROVEMENT, NOTICE, PURPOSE
from connector.cli.story.consents import Account, Scope
from connector.cli.story.scene import Scene

SECOND_RECIPIENT: Final = "authority"


def scope(scene: Scene) -> Scope:
    """What the learners were asked: the lab, education research, learning traces."""
    return Scope(scene.lab.did, PURPOSE, CATEGORY, NOTICE)


def second_scope(scene: Scene) -> Scope:
    """The other thing they were asked: the school authority, to improve teaching."""
    return Scope(scene.authority.did, IMPROVEMENT, CATEGORY, NOTICE)


def play(scene: Scene) -> None:
    """Import, then ask what holds for one who consents and one who does not."""
    with scene.act(2, "consent", "Les consentements", "The consents"):
        path = scene.folders.expected / "consents.csv"
        given = consents.write(path, scene.source.accounts, scope(scene))
        scene.voice.command(scene.platform, "consent import consents.csv")
        dpo = scene.platform.who("dpo")
        made = dpo.post_raw("/v1/consents/import", path.read_bytes(), "text/csv")
        scene.voice.tell(
            f"{made['recorded']} consentements sur {len(scene.source.accounts)} apprenants",
            f"{made['recorded']} consents of {len(scene.source.accounts)} learners",
        )
        scene.board.note(
            ("consentements enregistrés", "consents recorded"), given, made["recorded"]
        )
        _import_second(scene)
        again = dpo.post_raw("/v1/consents/import", path.read_bytes(), "text/csv")
        scene.board.note(
            ("le même fichier une seconde fois", "the same file a second time"),
            0,
            again["recorded"],
            detail=True,
        )
        with scene.board.refused(
            ("import par un chercheur", "import by a researcher"),
            "access-role",
        ):
            researcher = scene.platform.who("researcher")
            researcher.post_raw("/v1/consents/import", path.read_bytes(), "text/csv")
        _ask(scene)


def _import_second(scene: Scene) -> None:
    """Another recipient and purpose: another answer of the same learners."""
    path = scene.folders.expected / "consents-authority.csv"
    given = consents.write(path, scene.source.accounts, second_scope(scene), SECOND_RECIPIENT)
    scene.voice.command(scene.platform, f"consent import {path.name}")
    made = scene.platform.who("dpo").post_raw("/v1/consents/import", path.read_bytes(), "text/csv")
    scene.board.note(
        (
            "consentements à l'académie, pour une autre finalité",
            "consents to the authority, for another purpose",
        ),
        given,
        made["recorded"],
        detail=True,
    )


def _ask(scene: Scene) -> None:
    """The state of two learners; who said nothing is not told from who said no."""
    ordered = sorted(scene.source.accounts)
    yes = next(account for account in ordered if consents.consents(account.name))
    no = next((account for account in ordered if not consents.consents(account.name)), None)
    for account, name, expected in (
        (yes, ("état d'un apprenant qui consent", "state of a learner who consents"), "valid"),
        (no, ("état d'un autre", "state of another"), "none"),
    ):
        if account is not None:
            found = scene.platform.who("dpo").post("/v1/consents/state", about(scene, account))
            scene.board.note(name, expected, found["state"], detail=True)


def about(scene: Scene, account: Account) -> dict[str, object]:
    """A learner and the use in question, as the consent commands send it."""
    asked = scope(scene)
    return {
        "subject": {"type": "account", "value": account.name, "home": account.home},
        "recipient": asked.recipient,
        "purpose": asked.purpose,
        "category": asked.category,
    }
