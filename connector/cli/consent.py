"""`preau consent`: what learners said, as the institution's dpo or steward records it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.output import SESSION, command, read_bytes

app = typer.Typer(no_args_is_help=True, help="What learners said.")

_Subject = Annotated[
    list[str], typer.Option("--subject", metavar="TYPE VALUE [HOME]", help="Who, e.g. account.")
]
_Rest = Annotated[
    # An option takes one word here; VALUE and HOME follow it as plain arguments.
    list[str] | None,
    typer.Argument(metavar="", hidden=True, help="VALUE [HOME] of --subject."),
]
_Recipient = Annotated[str, typer.Option(help="A DID or group:NAME.")]
_Purpose = Annotated[str, typer.Option(help="The purpose's IRI.")]
_Category = Annotated[str, typer.Option(help="The data category's IRI.")]
_At = Annotated[str | None, typer.Option(help="An instant, RFC 3339; now by default.")]


@app.command("import")
@command
def import_(file: Annotated[Path, typer.Argument(metavar="FILE", help=".csv or .json")]) -> None:
    """Record many events from a file: all rows or none."""
    media = "application/json" if file.suffix == ".json" else "text/csv"
    made = SESSION.client().post_raw("/v1/consents/import", read_bytes(file), media)
    _said(made)


@app.command("give")
@command
def give(
    subject: _Subject,
    recipient: _Recipient,
    purpose: _Purpose,
    category: _Category,
    rest: _Rest = None,
    at: _At = None,
) -> None:
    """Record that a learner consents."""
    _event("given", _whole(subject, rest), recipient, purpose, category, at)


@app.command("withdraw")
@command
def withdraw(
    subject: _Subject,
    recipient: _Recipient,
    purpose: _Purpose,
    category: _Category,
    rest: _Rest = None,
    at: _At = None,
) -> None:
    """Record that a learner withdraws: effective in the next part of running transfers."""
    _event("withdrawn", _whole(subject, rest), recipient, purpose, category, at)


@app.command("object")
@command
def object_(
    subject: _Subject,
    recipient: _Recipient,
    purpose: _Purpose,
    category: _Category,
    rest: _Rest = None,
    at: _At = None,
) -> None:
    """Record that a learner objects: no row of theirs leaves until the DPO has decided."""
    _event("objected", _whole(subject, rest), recipient, purpose, category, at)


@app.command("lift")
@command
def lift(
    subject: _Subject,
    recipient: _Recipient,
    purpose: _Purpose,
    category: _Category,
    reason: Annotated[str, typer.Option(help="Why, in writing; stays in this node's log.")],
    rest: _Rest = None,
) -> None:
    """Lift an objection: the DPO's decision, with its reason."""
    body = {"status": "lifted", "reason": reason}
    _said(
        SESSION.client().post(
            "/v1/consents", body | _body(_whole(subject, rest), recipient, purpose, category, None)
        )
    )


@app.command("confirm-gap")
@command
def confirm_gap(
    reason: Annotated[str, typer.Option(help="Why releasing may go on; it is logged.")],
) -> None:
    """On a restored node: take note that answers given after the backup may be missing (DPO)."""
    made = SESSION.client().post("/v1/node/quarantine", {"reason": reason})
    SESSION.say(
        made,
        SESSION.pick(
            f"Écart depuis le {made['ended']['backup']} confirmé ; la quarantaine est levée",
            f"Gap since {made['ended']['backup']} confirmed; the quarantine is over",
        ),
    )


@app.command("state")
@command
def state(
    subject: _Subject,
    recipient: _Recipient,
    purpose: _Purpose,
    category: _Category,
    rest: _Rest = None,
    at: _At = None,
) -> None:
    """What holds for one learner at an instant."""
    body = _body(_whole(subject, rest), recipient, purpose, category, at)
    found = SESSION.client().post("/v1/consents/state", body)
    SESSION.say(found, str(found["state"]), *_leaves(found["leaves"]))


def _whole(subject: list[str], rest: list[str] | None) -> list[str]:
    return [*subject, *(rest or ())]


def _event(
    status: str, subject: list[str], recipient: str, purpose: str, category: str, at: str | None
) -> None:
    body = {"status": status, **_body(subject, recipient, purpose, category, at)}
    _said(SESSION.client().post("/v1/consents", body))


def _body(
    subject: list[str], recipient: str, purpose: str, category: str, at: str | None
) -> dict[str, Any]:
    if len(subject) not in {2, 3}:
        raise typer.BadParameter("--subject takes TYPE VALUE [HOME]")
    who = dict(zip(("type", "value", "home"), subject, strict=False))
    scope = {"recipient": recipient, "purpose": purpose, "category": category}
    return {"subject": who, **scope, **({"at": at} if at else {})}


def _leaves(allowed: dict[str, bool]) -> list[str]:
    """Whether rows may leave, by what the dataset rests on."""
    yes, no = SESSION.pick("transmises", "may leave"), SESSION.pick("retenues", "withheld")
    heads = {
        "consent": SESSION.pick("sur consentement", "on consent"),
        "objection": SESSION.pick("sur une autre base", "on another basis"),
    }
    rows = SESSION.pick("lignes", "rows")
    return [f"  {rows} {head}: {yes if allowed[mode] else no}" for mode, head in heads.items()]


def _said(made: dict[str, Any]) -> None:
    state = made.get("state")
    after = [SESSION.pick(f"état : {state}", f"state: {state}")] if state else []
    SESSION.say(
        made,
        SESSION.pick(
            f"{made['recorded']} événements enregistrés (époque {made['epoch']}), "
            f"{made['unmatched']} ne correspondent à personne",
            f"{made['recorded']} events recorded (epoch {made['epoch']}), "
            f"{made['unmatched']} match nobody in any dataset",
        ),
        *after,
    )
