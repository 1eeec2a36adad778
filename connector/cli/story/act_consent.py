"""Act 2: the platform's data protection officer imports what learners said."""

from connector.cli.story import consents
from connector.cli.story.about import CATEGORY, NOTICE, PURPOSE
from connector.cli.story.consents import Account, Scope
from connector.cli.story.scene import Scene


def scope(scene: Scene) -> Scope:
    """What the learners were asked: the lab, education research, learning traces."""
    return Scope(scene.lab.did, PURPOSE, CATEGORY, NOTICE)


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
        again = dpo.post_raw("/v1/consents/import", path.read_bytes(), "text/csv")
        scene.board.note(
            ("le même fichier une seconde fois", "the same file a second time"),
            0,
            again["recorded"],
        )
        with scene.board.refused(
            ("import par un chercheur de la plateforme", "import by a researcher's token"),
            "access-role",
        ):
            researcher = scene.platform.who("researcher")
            researcher.post_raw("/v1/consents/import", path.read_bytes(), "text/csv")
        _ask(scene)


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
            scene.board.note(name, expected, found["state"])


def about(scene: Scene, account: Account) -> dict[str, object]:
    """A learner and the use in question, as the consent commands send it."""
    asked = scope(scene)
    return {
        "subject": {"type": "account", "value": account.name, "home": account.home},
        "recipient": asked.recipient,
        "purpose": asked.purpose,
        "category": asked.category,
    }
