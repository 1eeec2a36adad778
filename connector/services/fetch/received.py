"""The folder of one transfer at the consumer: its files, each whole or not there at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args
from uuid import UUID

from connector.base.clock import format_time
from connector.protocol import messages
from connector.protocol.transfer import State, Transfer
from connector.services.node import Node
from connector.services.show import wording
from connector.store.rows import AgreementRow
from policies.plan import Plan
from policies.problem import Language, Problem

NAMES: Final = {"ndjson": "data.ndjson", "csv": "data.csv"}
"""The received file of each distribution."""
STEM: Final = "data."
"""How the name of the received data begins, whatever its form."""
PARTIAL: Final = ".partial"
_FOLDER: Final = "received"


def folder_of(node: Node, pid: str) -> Path:
    """Where the node keeps what it received of a transfer."""
    return node.folder / _FOLDER / str(UUID(pid))


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what lies beside the data.

    Raises:
        Problem: `dataplane-disk`.
    """
    try:
        for name, content in files.items():
            partial = folder / f"{name}{PARTIAL}"
            partial.write_bytes(content + b"\n")
            partial.replace(folder / name)
    except OSError as error:
        raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None


def check_wanted(t: Transfer) -> None:
    """Refuse what comes after somebody here has ended or paused the transfer.

    Raises:
        Problem: `transfer-ended`, `transfer-suspended`.
    """
    if t.over and t.ended_by is t.role:
        raise ended(t)
    if t.state is State.SUSPENDED and t.suspended_by is t.role:
        raise Problem("transfer-suspended", reasons=" ".join(t.reasons) or "–")


def ended(t: Transfer) -> Problem:
    """That a transfer is over, with the reasons that were given."""
    return Problem("transfer-ended", state=t.state.value, reasons=" ".join(t.reasons) or "–")


def words(row: AgreementRow, lang: Language) -> bytes:
    """The agreement in plain words, with the date it expires."""
    wire = messages.Terms.read(row.wire or {}, kind="Agreement")
    title = {"fr": "Accord", "en": "Agreement"}[lang]
    ends = {"fr": "Expire le", "en": "Expires on"}[lang]
    lines = [
        f"{title} {row.id}",
        f"{row.document['assigner']} → {row.document['assignee']}",
        str(row.document["target"]),
        *([f"{ends} {format_time(row.expires)}"] if row.expires else []),
        "",
        *wording.policies([wire.policy])[lang],
        "",
        *wording.plan(Plan.read(row.plan) if row.plan else None)[lang],
    ]
    return "\n".join(lines).encode()


def agreed(row: AgreementRow) -> dict[str, bytes]:
    """The agreement in plain words, as files."""
    return {f"agreement.{lang}.txt": words(row, lang) for lang in get_args(Language)}


def finished(folder: Path) -> list[str]:
    """The files a transfer has left; none before the data file has its name."""
    if data(folder) is None:
        return []
    return sorted(path.name for path in folder.iterdir() if path.suffix not in {PARTIAL, ".parts"})


def data(folder: Path) -> Path | None:
    """The data file, once it has its name."""
    found = folder.glob(STEM + "*") if folder.is_dir() else []
    return next((path for path in found if path.suffix not in {PARTIAL, ".parts"}), None)
