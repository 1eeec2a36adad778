"""`preau doctor`, `preau upgrade`, `preau backup`, `preau key`: keeping a node in good health."""

from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from connector.cli.output import SESSION, command, read_bytes
from policies.problem import Problem

backup = typer.Typer(help="Everything a node cannot make again, in one file.")
key = typer.Typer(no_args_is_help=True, help="The node's private keys.")

_MARKS: Final = {"ok": "✓", "warning": "!", "failure": "✗"}
_Passphrase = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="P", help="Its first line seals or opens the keys."),
]
_Folder = Annotated[
    Path | None, typer.Argument(metavar="DIR", help="The node's folder (or --node, PREAU_NODE).")
]


@command
def doctor(
    folder: _Folder = None,
    full: Annotated[
        bool, typer.Option("--full", help="Hash the whole evidence log again (node stopped).")
    ] = False,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="PEER", help="Ask this peer what it sees of your node."),
    ] = None,
) -> None:
    """Look for what is wrong with a node, running or stopped, and say what to do."""
    if from_ is not None:
        SESSION.node = str(folder) if folder else SESSION.node
        found = SESSION.client().post("/v1/peers/look-back", {"did": from_})
    else:
        from connector.examining import examine

        found = examine(_folder(folder), full=full).document()
    lines = []
    for one in found["checks"]:
        lines.append(f"{_MARKS[one['level']]} {one['check']}: {one[SESSION.lang]}")
        if "do" in one:
            lines.append(f"  → {one['do'][SESSION.lang]}  [{one['code']}]")
    SESSION.say(found, *lines)
    if not found["ok"]:
        raise typer.Exit(1)


@command
def upgrade(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a stopped node.")],
) -> None:
    """Bring a node's database to this version, after copying it, and verify the evidence log."""
    from connector.operating import upgrade as run

    done = run(folder)
    if done["from"] == done["to"]:
        said = (f"La base est déjà au schéma {done['to']}.", f"Schema {done['to']} already.")
    else:
        said = (
            f"Base passée de {done['from']} à {done['to']} ; avant : {done['backup']}",
            f"Database brought from {done['from']} to {done['to']}; before: {done['backup']}",
        )
    SESSION.say(
        done,
        SESSION.pick(*said),
        SESSION.pick(
            f"Journal de preuve relu : {done['log']} feuilles",
            f"Evidence log hashed again: {done['log']} leaves",
        ),
    )


@backup.callback(invoke_without_command=True)
@command
def back_up(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(metavar="F", help="The file to write.")] = None,
    passphrase_file: _Passphrase = None,
) -> None:
    """Back a node up while it runs (operator), or while it is stopped."""
    if context.invoked_subcommand is not None:
        return
    if out is None:
        raise typer.BadParameter("backup needs --out F, or the command restore")
    from connector.operating import back_up as run

    node = SESSION.node or ""
    remote = node.startswith(("http://", "https://"))
    if not node:
        raise Problem("cli-which-node")

    def online(file: BinaryIO) -> None:
        SESSION.client().stream("/v1/backups", file)

    done = run(
        out,
        online,
        folder=None if remote else Path(node),
        passphrase=_passphrase(passphrase_file),
    )
    kept = ("avec les clés, scellées", "with the keys, sealed")
    left = (
        "SANS les clés privées (« preau key export », ou --passphrase-file)",
        "WITHOUT the private keys (“preau key export”, or --passphrase-file)",
    )
    SESSION.say(
        done,
        SESSION.pick(
            f"{out} : {done['files']} fichiers, {done['bytes'] / 1e6:.1f} Mo, vérifiés",
            f"{out}: {done['files']} files, {done['bytes'] / 1e6:.1f} MB, verified",
        ),
        "  " + SESSION.pick(*(kept if done["keys"] else left)),
    )


@backup.command("restore")
@command
def restore(
    file: Annotated[Path, typer.Argument(metavar="F", help="A file of `preau backup`.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    passphrase_file: _Passphrase = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="K", help="A file of `preau key export`.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="J", help="The consent journal that survived.")
    ] = None,
) -> None:
    """Make a node from a backup; it releases nothing on consent until the gap is closed."""
    from connector.operating import restore as run
    from connector.services.operate.restoring import Restoring

    done = run(file, folder, Restoring(_passphrase(passphrase_file), keys, journal))
    fr = [
        f"Nœud restauré dans {folder}, état du {done['made']}",
        "  En quarantaine : rien ne sort sur consentement.",
        f"  Le journal survivant a {done['survived']} événements de plus ; le démarrage les rejoue."
        if done["survived"]
        else "  Le DPO confirme l'écart (« preau consent confirm-gap »), nœud démarré.",
    ]
    en = [
        f"Node restored in {folder}, as of {done['made']}",
        "  In quarantine: nothing leaves on consent.",
        f"  The surviving journal has {done['survived']} more events; the next start replays them."
        if done["survived"]
        else "  The DPO confirms the gap (“preau consent confirm-gap”) once it runs.",
    ]
    if done["upgrade"]:
        fr.append(f"Ensuite : preau upgrade {folder}")
        en.append(f"Next: preau upgrade {folder}")
    SESSION.say(done, *(fr if SESSION.lang == "fr" else en))


@key.command("export")
@command
def export(
    out: Annotated[Path, typer.Option(metavar="F", help="The file to write (mode 0600).")],
    passphrase_file: Annotated[
        Path, typer.Option("--passphrase-file", metavar="P", help="Its first line seals them.")
    ],
    folder: _Folder = None,
) -> None:
    """Escrow the private keys under a passphrase: keep the file apart from the backups."""
    from connector.base.files import private_file
    from connector.operating import sealed_keys

    sealed = sealed_keys(_folder(folder), _passphrase(passphrase_file) or "")
    with private_file(out) as file:
        file.write(sealed)
    SESSION.say({"v": 1, "keys": str(out)}, str(out))


def _folder(given: Path | None) -> Path:
    """The node's folder, named here or by `--node`."""
    node = SESSION.node or ""
    if given is None and (not node or node.startswith(("http://", "https://"))):
        raise Problem("cli-which-node")
    return given or Path(node)


def _passphrase(file: Path | None) -> str | None:
    """The first line of a file, without its end."""
    if file is None:
        return None
    try:
        lines = read_bytes(file).decode().splitlines()
    except UnicodeDecodeError:
        raise Problem("cli-file-unreadable", path=str(file), fault="UTF-8") from None
    return lines[0] if lines else ""
