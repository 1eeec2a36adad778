"""What an operator alarms on, as Prometheus families (text exposition 0.0.4).

Only counts, ages and sizes: no label names a person, a peer or a dataset. Counters begin at zero
with the process. Written by hand: the format is a page long, and a client library would add a
registry of its own beside the store, which knows most of it already.
"""

import asyncio
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from connector.base import telemetry
from connector.identity import keys
from connector.services.doctor import outside
from connector.services.node import Node
from connector.services.operate import quarantine
from connector.store import consents, counting, leaves, outbox
from connector.store.counting import Counts
from connector.store.store import Tx

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
CERTIFICATE_EVERY: Final = timedelta(hours=1)
_DAY: Final = 86_400.0
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name after `preau_`, what it says, and its samples."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    samples: tuple[tuple[Labels, float], ...]

    def lines(self) -> Iterable[str]:
        """The family as text."""
        name = f"preau_{self.name}"
        yield f"# HELP {name} {self.help}"
        yield f"# TYPE {name} {self.kind}"
        for labels, value in self.samples:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            where = f"{{{inside}}}" if inside else ""
            yield f"{name}{where} {_number(value)}"


@dataclass(frozen=True, slots=True)
class _Stored:
    """What one read of the store tells."""

    negotiations: Counts
    transfers: Counts
    pending: int
    oldest: datetime | None
    leaves: int
    checkpoint: datetime | None
    epoch: int
    quarantined: bool


async def exposition(node: Node) -> bytes:
    """Everything, as one page for a scrape."""
    stored = await node.store.survey(_stored)
    disks = await asyncio.to_thread(_free, node)
    ages = await asyncio.to_thread(_key_ages, node)
    _renew_certificate(node)
    families = [*_working(node, stored), *_kept(node, stored, disks, ages)]
    return "".join(f"{line}\n" for one in families for line in one.lines()).encode()


def _stored(tx: Tx) -> _Stored:
    checkpoint = leaves.last_checkpoint(tx)
    return _Stored(
        negotiations=counting.negotiations(tx),
        transfers=counting.transfers(tx),
        pending=outbox.pending(tx),
        oldest=counting.oldest_pending(tx),
        leaves=leaves.next_index(tx),
        checkpoint=checkpoint.at if checkpoint else None,
        epoch=consents.epoch(tx),
        quarantined=quarantine.current(tx) is not None,
    )


def _working(node: Node, stored: _Stored) -> list[Family]:
    """Messages, negotiations, transfers."""
    age = (node.clock.now() - stored.oldest).total_seconds() if stored.oldest else 0.0
    refused = {
        code: count for (event, code), count in telemetry.COUNTS.items() if event == "peer-refused"
    }
    return [
        _gauge("outbox_messages", "Messages still to be delivered.", stored.pending),
        _gauge("outbox_oldest_seconds", "Age of the oldest message to be delivered.", age),
        _gauge("peers_left_alone", "Peers that do not answer now.", node.worker.circuits_open),
        _labelled(
            "delivery_attempts_total",
            "Attempts to deliver, by HTTP status or code of the problem.",
            "result",
            node.worker.outcomes,
        ),
        _labelled("requests_refused_total", "Requests of peers refused, by code.", "code", refused),
        _states("negotiations", "Negotiations by our role and state.", stored.negotiations),
        _states("transfers", "Transfers by our role and state.", stored.transfers),
        _gauge("worker_alive", "1 while the delivery worker works.", node.worker.alive),
    ]


def _kept(
    node: Node, stored: _Stored, disks: Mapping[str, int], ages: Mapping[str, float]
) -> list[Family]:
    """Log, store, disks, keys, consent."""
    now = node.clock.now()
    since = (now - stored.checkpoint).total_seconds() if stored.checkpoint else 0.0
    lag = stored.leaves - node.log.size
    held = node.reach.certificate
    found = [
        _gauge("log_leaves", "Leaves of the evidence log.", stored.leaves),
        _gauge("log_unhashed_leaves", "Leaves not yet under a signed checkpoint.", max(lag, 0)),
        _gauge("log_checkpoint_age_seconds", "Age of the last signed checkpoint.", since),
        Family("store_commits_total", "counter", "Commits.", (({}, float(node.store.commits)),)),
        _gauge("store_stopped", "1 once the store takes no more writes.", _stopped(node)),
        _labelled("disk_free_bytes", "Free bytes, by what lies there.", "holds", disks, "gauge"),
        _labelled("key_age_days", "Days since the key file was made.", "key", ages, "gauge"),
        _gauge("consent_epoch", "Epoch of the consent state.", stored.epoch),
        _gauge("quarantine", "1 while a restored node is in quarantine.", stored.quarantined),
    ]
    if held is not None:
        days = (held - now).total_seconds() / _DAY
        found.append(_gauge("certificate_days", "Days until the TLS certificate ends.", days))
    return found


def _stopped(node: Node) -> bool:
    return node.store.stopped is not None


def _free(node: Node) -> dict[str, int]:
    """Free bytes where the node writes; a PostgreSQL server's disk is the server's to watch."""
    places = {"folder": node.folder, "journal": node.folder / node.settings.consent.journal}
    return {name: shutil.disk_usage(_existing(path)).free for name, path in places.items()}


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _key_ages(node: Node) -> dict[str, float]:
    """Days since each key in use was written."""
    now = node.clock.now().timestamp()
    in_use = {node.keys.fragment(name): name for name in keys.NAMES}
    return {
        in_use[path.stem]: max(now - path.stat().st_mtime, 0.0) / _DAY
        for path in keys.listing(node.folder / node.settings.keys.dir)
        if path.stem in in_use
    }


def _renew_certificate(node: Node) -> None:
    """Look at our own certificate once an hour, beside the scrape: it may take seconds."""
    parts, reach, now = urlsplit(node.url), node.reach, node.clock.now()
    due = reach.asked is None or not timedelta(0) <= now - reach.asked < CERTIFICATE_EVERY
    if parts.scheme != "https" or not due:
        return
    reach.asked = now

    async def look() -> None:
        host, port = parts.hostname or "", parts.port or 443
        found = await asyncio.to_thread(outside.certificate_end, host, port, now)
        reach.certificate = found or reach.certificate  # an alarm must not end with a lost look

    node.background.start("certificate", look())


def _gauge(name: str, said: str, value: float) -> Family:
    return Family(name, "gauge", said, (({}, float(value)),))


def _labelled(
    name: str,
    said: str,
    label: str,
    values: Mapping[str, float],
    kind: Literal["gauge", "counter"] = "counter",
) -> Family:
    samples = tuple(({label: key}, float(value)) for key, value in sorted(values.items()))
    return Family(name, kind, said, samples)


def _states(name: str, said: str, counts: Counts) -> Family:
    samples = tuple(
        ({"role": role, "state": state}, float(count)) for (role, state), count in counts.items()
    )
    return Family(name, "gauge", said, samples)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(round(value, 6))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
