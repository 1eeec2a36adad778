"""`preau transfer`: fetching agreed data, and stopping what runs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli import choosing, timeline
from connector.cli.choosing import AgreementId
from connector.cli.client import ApiProblem, Client, segment
from connector.cli.output import SESSION, command, progress, remark, table
from policies.problem import Problem

app = typer.Typer(no_args_is_help=True, help="Data on its way.")

_PAST = frozenset({"transfer-suspended", "transfer-not-started"})
"""Why a fetch stopped, that is no longer so once the transfer runs."""
_ID = Annotated[str, typer.Argument(metavar="ID")]


@app.command("fetch")
@command
def fetch(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")],
    agreement: AgreementId = None,
    parts: Annotated[
        int | None, typer.Option(min=1, help="Stop after N more parts; run again to go on.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="ndjson|csv", help="csv: of tables only.")
    ] = "ndjson",
    push: Annotated[
        bool, typer.Option("--push", help="Let the provider send it here, in place of fetching.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Ask for a new release though the files are here; it counts as one."
        ),
    ] = False,
) -> None:
    """Let this node fetch what was agreed, then copy the files out.

    Files that are here already are copied again: nothing is asked for, nothing is counted.
    """
    client = SESSION.client()
    body = {
        "agreement": choosing.agreement(client, agreement),
        "format": format_,
        "again": again,
        "push": push,
    }
    transfer = client.post("/v1/transfers", body)
    path = f"/v1/transfers/{segment(transfer['pid'])}"
    kept = transfer["state"] in {"COMPLETED", "TERMINATED"}
    if push and not kept:
        found = client.get(path, wait=60, until="COMPLETED")
    else:
        client.post(f"{path}/fetch", {"parts": parts})
        found = _follow(client, path)
    if found["fetch"]["files"]:
        _copy_out(client, path, found["fetch"]["files"], out)
    if found["fetch"]["problem"]:
        raise ApiProblem(found["fetch"]["problem"])
    SESSION.say(found, *_lines(found), *([_kept(found)] if kept else []))


@app.command("list")
@command
def list_() -> None:
    """All transfers, the newest first."""
    found = SESSION.client().get("/v1/transfers")
    rows = [(t["pid"], t["role"], t["state"], t["parts"], t["rows"], t["agreement"]) for t in found]
    SESSION.say(found, *table(("pid", "role", "state", "parts", "rows", "agreement"), rows))


@app.command("show")
@command
def show(ident: _ID) -> None:
    """One transfer: state, parts, rows, what it waits for and until when, all that happened."""
    found = SESSION.client().get(f"/v1/transfers/{segment(ident)}")
    SESSION.say(found, *_lines(found), *timeline.lines(found))


@app.command("suspend")
@command
def suspend(
    ident: _ID, reason: Annotated[str, typer.Option(help="The other party reads it.")] = ""
) -> None:
    """Pause a transfer; either party can."""
    _change(ident, "suspension", reason)


@app.command("resume")
@command
def resume(ident: _ID) -> None:
    """Let a suspended transfer go on."""
    _change(ident, "resumption", "")


@app.command("start")
@command
def start(ident: _ID) -> None:
    """Let a transfer begin, where your node leaves that to people (“by_hand” of its settings)."""
    _change(ident, "start", "")


@app.command("complete")
@command
def complete(ident: _ID) -> None:
    """Say that a transfer is over as agreed; either party can."""
    _change(ident, "completion", "")


@app.command("terminate")
@command
def terminate(
    ident: _ID, reason: Annotated[str, typer.Option(help="The other party reads it.")] = ""
) -> None:
    """End a transfer; what arrived stays marked as cut."""
    _change(ident, "termination", reason)


def _change(ident: str, act: str, reason: str) -> None:
    path = f"/v1/transfers/{segment(ident)}/{act}"
    found = SESSION.client().post(path, {"reason": reason})
    SESSION.say(found, *_lines(found))


def _follow(client: Client, path: str) -> dict[str, Any]:
    """The transfer once its fetch has paused or finished; meanwhile stderr tells what is awaited,
    once it is more than a moment.
    """
    told = ""
    while True:
        found: dict[str, Any] = client.get(path, wait=2, until="FETCHED")
        work, now = found["fetch"], found["waiting"]
        progress(f"{work['parts']} parts, {work['rows']} rows, {work['bytes'] / 1e6:.1f} MB")
        if not work["running"]:
            progress("")
            return found
        if now["kind"] not in {told, "node"}:
            told = now["kind"]
            progress("")
            remark(*timeline.waiting(found))


def _copy_out(client: Client, path: str, names: list[str], out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fault = error.strerror or "I/O"
        raise Problem("cli-not-written", path=str(out), fault=fault) from None
    for name in names:
        client.download(f"{path}/files/{segment(name)}", out / name)


def _kept(found: dict[str, Any]) -> str:
    """What a person must know whose files were here already."""
    at = found["updated"]
    return SESSION.pick(
        f"  Déjà reçu (transfert du {at}) : les fichiers ont été copiés de nouveau, sans nouvelle"
        " communication. Pour en demander une, qui compte : --again",
        f"  Received before (transfer of {at}): the files were copied again, nothing new was"
        " released. To ask for a new release, which counts: --again",
    )


def _lines(found: dict[str, Any]) -> list[str]:
    work = found.get("fetch") or {}
    lines = [
        f"{found['pid']}  {found['state']}",
        f"  {found['parts']} parts, {found['rows']} rows, {found['bytes']} bytes",
    ]
    problem = work.get("problem")
    if problem and not (found["state"] == "STARTED" and problem["code"] in _PAST):
        lines += [f"  ! {problem[SESSION.lang]}", f"  → {problem['do'][SESSION.lang]}"]
    if found["state"] == "COMPLETED" and found["parts"] and not found["rows"]:
        lines.append(
            SESSION.pick(
                "  Aucune ligne : l'accord, la période et les consentements d'alors n'en laissaient"
                " partir aucune.",
                "  No row: the agreement, the period and the consents of then let none leave.",
            )
        )
    lines += timeline.waiting(found)
    lines += [f"  ! {reason}" for reason in found["reasons"]]
    return lines
