"""What the doctor sees through the node's public name, as a peer would: URL, DID, TLS, clocks.

Asked from this machine: a name that resolves differently here, or a firewall between, can make it
look better or worse than for others.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from connector.base.settings import Settings
from connector.delivery.client import authorities
from connector.identity import did as documents
from connector.identity import did_web
from connector.identity.keys import KeyRing
from connector.identity.ports import Fetch
from connector.services.doctor.finding import Finding, failure, good, warning
from policies.problem import Problem

SECONDS: Final = 5.0
PEERS: Final = 3
_OK: Final = 200
_SKEW: Final = 30
_BROKEN_SKEW: Final = 300
_SOON: Final = timedelta(days=14)
_NOW: Final = timedelta(days=3)


async def own_url(fetch: Fetch, checked: Settings, ring: KeyRing, *, running: bool) -> Finding:
    """Whether the DID leads, over the public URL, to this node and no other."""
    url = did_web.read(checked.node.did, dev=checked.dev.on).document_url
    if not running:
        return warning("public-url", Problem("doctor-public-unasked", url=url))
    try:
        live = await fetch.get(f"{checked.node.public_url}/health/live", timeout=SECONDS)
        answer = await fetch.get(url, timeout=SECONDS)
    except Problem as problem:
        told = Problem("doctor-public-unreachable", url=url, fault=problem.code)
        private = problem.code == "delivery-address-refused"
        return warning("public-url", told) if private else failure("public-url", told)
    statuses = (live.status, answer.status)
    if statuses != (_OK, _OK):
        status = next(one for one in statuses if one != _OK)
        return failure("public-url", Problem("doctor-public-status", url=url, status=status))
    if not _is_ours(answer.body, checked, ring):
        return failure("public-url", Problem("doctor-public-other", url=url))
    return good(
        "public-url",
        f"{url} répond, et c'est ce nœud (vu de cette machine)",
        f"{url} answers, and it is this node (seen from this machine)",
    )


async def control_plane(fetch: Fetch, checked: Settings) -> Iterator[Finding]:
    """Whether the control plane that this node serves can be told how a flow ended."""
    url = checked.signaling.control_plane
    if url is None:
        return iter(())
    try:
        answer = await fetch.get(url, timeout=SECONDS)
    except Problem as problem:
        told = Problem("doctor-signaling-silent", url=url, reason=problem.code)
        return iter((warning("signaling-control", told),))
    fr, en = f"{url} répond ({answer.status})", f"{url} answers ({answer.status})"
    return iter((good("signaling-control", fr, en),))


def _is_ours(body: bytes, checked: Settings, ring: KeyRing) -> bool:
    root = checked.node.public_url
    expected = documents.document(checked.node.did, ring, root=root, dsp_base=f"{root}/dsp/2025-1")
    try:
        return bool(json.loads(body) == expected)
    except ValueError:
        return False


async def clocks(fetch: Fetch, checked: Settings, peers: Sequence[str], now: datetime) -> Finding:
    """This machine's clock beside those of peers that answer (their `Date` header)."""
    answers = await asyncio.gather(*(_date(fetch, checked, did) for did in peers[:PEERS]))
    skews = sorted((at - now).total_seconds() for at in _instants(filter(None, answers)))
    if not skews:
        return good(
            "clock-peers",
            "aucun pair n'a répondu : l'heure exacte ne peut pas être connue d'ici",
            "no peer answered: whether the time is right cannot be known from here",
        )
    skew = skews[len(skews) // 2]
    if abs(skew) <= _SKEW:
        return good(
            "clock-peers",
            f"à {abs(skew):.0f} s près, l'heure de {len(skews)} pair(s)",
            f"within {abs(skew):.0f} s of {len(skews)} peer(s)",
        )
    problem = Problem("doctor-clock-peers", seconds=f"{skew:+.0f}", peers=len(skews))
    broken = abs(skew) > _BROKEN_SKEW
    return failure("clock-peers", problem) if broken else warning("clock-peers", problem)


async def _date(fetch: Fetch, checked: Settings, did: str) -> str:
    try:
        url = did_web.read(did, dev=checked.dev.on).document_url
        return (await fetch.get(url, timeout=SECONDS)).headers.get("date", "")
    except Problem:
        return ""


def _instants(answers: Iterable[str]) -> Iterator[datetime]:
    """The instants of `Date` headers; what is no date is no answer."""
    for text in answers:
        try:
            yield parsedate_to_datetime(text).astimezone(UTC)
        except ValueError:
            continue


def tls(url: str, now: datetime, trust: ssl.SSLContext | None = None) -> Finding:
    """The certificate behind an https URL: whether it is for that name, and how long it lasts.

    Judged as peers do, by the public authorities, not by what this machine trusts besides.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        return good("tls", "sans TLS (mode dev)", "no TLS (dev mode)")
    host, port = parts.hostname or "", parts.port or 443
    try:
        left = _end(host, port, trust or authorities()) - now
    except ssl.SSLCertVerificationError as error:
        fault = error.verify_message
        return failure("tls", Problem("doctor-tls-invalid", host=host, fault=fault))
    except OSError as error:
        fault = error.strerror or type(error).__name__
        return warning("tls", Problem("doctor-tls-silent", host=host, fault=fault))
    if left < _SOON:
        problem = Problem("doctor-tls-expires", host=host, days=max(left.days, 0))
        return failure("tls", problem) if left < _NOW else warning("tls", problem)
    return good(
        "tls",
        f"certificat valable pour {host}, encore {left.days} jours",
        f"certificate valid for {host}, {left.days} more days",
    )


def certificate_end(host: str, port: int, now: datetime) -> datetime | None:
    """When the certificate ends that a public authority gave for a host: `now`, where peers would
    refuse the one it shows (it has ended, it is another name's); None when none is seen.
    """
    try:
        return _end(host, port, authorities())
    except ssl.SSLCertVerificationError:
        return now
    except OSError:  # and every fault of TLS is one
        return None


def _end(host: str, port: int, context: ssl.SSLContext) -> datetime:
    with (
        socket.create_connection((host, port), timeout=SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
