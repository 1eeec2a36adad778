"""`preau request` and `preau negotiation`: asking for data, and deciding on what others ask."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli import choosing, timeline
from connector.cli.choosing import NegotiationId
from connector.cli.client import segment
from connector.cli.output import SESSION, command, read_json, table
from policies.problem import Problem

app = typer.Typer(no_args_is_help=True, help="Requests for data, made and received.")


@command
def request(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's address.")],
    application: Annotated[Path, typer.Option(help="What you ask and why (JSON).")],
    wait: Annotated[float, typer.Option(help="Seconds to wait for an outcome.")] = 0,
    peer: Annotated[
        str, typer.Option(help="Whose dataset, where its id alone does not say it (an EDC's).")
    ] = "",
) -> None:
    """Ask another node for a dataset; with --wait, a request that was refused exits with 1."""
    client = SESSION.client()
    body = {"dataset": dataset, "application": read_json(application)}
    if peer:
        body["peer"] = peer
    made = client.post("/v1/requests", body)
    if wait:
        made = client.get(f"/v1/negotiations/{segment(made['pid'])}", wait=wait, until="SETTLED")
        if made["state"] == "TERMINATED":
            reasons = " ".join(made["reasons"]) or "–"
            code = made["code"] or "–"
            raise Problem("cli-request-ended", pid=made["pid"], ended=code, reasons=reasons)
    SESSION.say(made, *_lines(made))


@app.command("list")
@command
def list_() -> None:
    """All negotiations, the newest first."""
    found = SESSION.client().get("/v1/negotiations")
    rows = [
        (n["pid"], n["role"], n["state"], ", ".join(n["awaiting"]), n["peer"], n["dataset"])
        for n in found
    ]
    SESSION.say(found, *table(("pid", "role", "state", "awaiting", "peer", "dataset"), rows))


@app.command("show")
@command
def show(
    ident: NegotiationId = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a change.")] = 0,
    until: Annotated[str | None, typer.Option(help="State to wait for, or SETTLED.")] = None,
) -> None:
    """One negotiation: state, terms, what it waits for and until when, all that happened."""
    client = SESSION.client()
    path = f"/v1/negotiations/{segment(choosing.negotiation(client, ident))}"
    found = client.get(path, wait=wait or None, until=until)
    SESSION.say(found, *_lines(found))


@app.command("decide")
@command
def decide(
    role: Annotated[str, typer.Option("--as", help="The role you decide in: dpo or ethics.")],
    ident: NegotiationId = None,
    approve: Annotated[bool, typer.Option("--approve")] = False,
    return_: Annotated[
        Path | None, typer.Option("--return", metavar="OFFER.json", help="What must differ.")
    ] = None,
    counter: Annotated[
        bool, typer.Option("--counter", help="Return with the terms that the policy proposes.")
    ] = False,
    reject: Annotated[bool, typer.Option("--reject")] = False,
    reason: Annotated[str, typer.Option(help="Why; the other party reads it.")] = "",
    wait: Annotated[float, typer.Option(help="Without ID: seconds to wait for a request.")] = 0,
) -> None:
    """Approve, return with a changed offer, or reject a request that waits for you."""
    if approve + (return_ is not None) + counter + reject != 1:
        raise typer.BadParameter("give exactly one of --approve, --return, --counter, --reject")
    outcome = "approve" if approve else "reject" if reject else "return"
    if outcome != "approve" and not counter and not reason:
        raise typer.BadParameter("--return and --reject need --reason")
    body: dict[str, Any] = {"role": role, "outcome": outcome, "reason": reason}
    if return_ is not None:
        body["offer"] = read_json(return_)
    if counter:
        body["offer"] = "counter"
    client = SESSION.client()
    chosen = choosing.awaiting(client, ident, role, wait)
    made = client.post(f"/v1/negotiations/{segment(chosen)}/decisions", body)
    SESSION.say(made, *_lines(made))


@app.command("accept")
@command
def accept(ident: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Accept the offer the provider returned, as it stands."""
    made = SESSION.client().post(f"/v1/negotiations/{segment(ident)}/acceptance")
    SESSION.say(made, *_lines(made))


@app.command("resubmit")
@command
def resubmit(
    ident: Annotated[str, typer.Argument(metavar="ID")],
    application: Annotated[Path, typer.Option(help="The changed application (JSON).")],
) -> None:
    """Answer a returned request with a changed application."""
    path = f"/v1/negotiations/{segment(ident)}/applications"
    made = SESSION.client().post(path, {"application": read_json(application)})
    SESSION.say(made, *_lines(made))


@app.command("counter")
@command
def counter(
    ident: Annotated[str, typer.Argument(metavar="ID")],
    offer: Annotated[Path, typer.Option(metavar="OFFER.json", help="What must differ.")],
) -> None:
    """Answer an offer with a narrower one."""
    path = f"/v1/negotiations/{segment(ident)}/offers"
    made = SESSION.client().post(path, {"offer": read_json(offer)})
    SESSION.say(made, *_lines(made))


@app.command("offer")
@command
def offer(
    peer: Annotated[str, typer.Argument(metavar="DID", help="Whom you offer it to.")],
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A dataset of yours.")],
    offer_: Annotated[
        str | None, typer.Option("--offer", metavar="NAME", help="Which offer; else the first.")
    ] = None,
) -> None:
    """Offer a dataset to a participant that has not asked for it."""
    body = {"peer": peer, "dataset": dataset, "offer": offer_}
    made = SESSION.client().post("/v1/offers", body)
    SESSION.say(made, *_lines(made))


@app.command("verify")
@command
def verify(ident: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Sign the agreement, where your node leaves that to people (“by_hand” of its settings)."""
    made = SESSION.client().post(f"/v1/negotiations/{segment(ident)}/verification")
    SESSION.say(made, *_lines(made))


@app.command("finalize")
@command
def finalize(ident: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Put a signed agreement in force, where your node leaves that to people."""
    made = SESSION.client().post(f"/v1/negotiations/{segment(ident)}/finalization")
    SESSION.say(made, *_lines(made))


@app.command("terminate")
@command
def terminate(
    ident: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why; the other party reads it.")],
) -> None:
    """End a negotiation."""
    path = f"/v1/negotiations/{segment(ident)}/termination"
    made = SESSION.client().post(path, {"reason": reason})
    SESSION.say(made, *_lines(made))


def _lines(found: dict[str, Any]) -> list[str]:
    lang = SESSION.lang
    lines = [f"{found['pid']}  {found['state']}", f"  {found['dataset']}"]
    lines += timeline.waiting(found)
    if found.get("agreement"):
        lines.append(f"  {found['agreement']}")
    lines += [f"  {line}" for line in found["terms"][lang]]
    lines += [f"  ! {line}" for line in found["staying"][lang]]
    lines += [f"  ! {reason}" for reason in found["reasons"]]
    lines += timeline.lines(found)
    return lines
