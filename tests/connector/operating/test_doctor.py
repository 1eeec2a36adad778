"""The doctor finds each fault by its name, says what to do, and changes nothing."""

import hashlib
import json
import os
import socket
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.base import settings as configuration
from connector.examining import examine
from connector.identity.keys import KeyRing
from connector.identity.ports import Response
from connector.services.doctor import outside
from connector.services.doctor.finding import Finding, Report
from connector.services.operate import quarantine
from connector.store.lock import NodeLock
from policies.problem import Problem
from tests.connector.operating.conftest import LATER, Wire
from tests.support.clock import ManualClock

NODE = LATER + timedelta(minutes=1)


def found(folder: Path, *, full: bool = False, clock: ManualClock | None = None) -> Report:
    return examine(folder, full=full, clock=clock or ManualClock(NODE))


def one(report: Report, check: str) -> Finding:
    (finding,) = [finding for finding in report.findings if finding.check == check]
    return finding


@pytest.fixture
def healthy(copy_of: Callable[[str], Path]) -> Path:
    """A stopped node out of quarantine, nobody else may read it."""
    folder = copy_of("platform")
    change(folder, "DELETE FROM note WHERE key = ?", quarantine.NOTE)
    folder.chmod(0o700)
    settle(folder)
    return folder


def settle(folder: Path) -> None:
    """Files as old as the node."""
    stamp = LATER.timestamp()
    for name in ("preau.sqlite", "consent.journal"):
        os.utime(folder / name, (stamp, stamp))


def change(folder: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(folder / "preau.sqlite") as connection:
        connection.execute(sql, values)
    connection.close()


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_healthy_stopped_node(healthy: Path):
    before = digests(healthy)
    report = found(healthy)
    assert report.healthy
    levels = {finding.check: finding.level for finding in report.findings}
    assert levels.pop("public-url") == "warning"  # a stopped node answers nobody
    assert set(levels.values()) == {"ok"}, report.document()
    assert levels.keys() >= {
        *("settings", "folder", "keys", "disk", "port-public", "port-management", "database"),
        *("log", "journal", "clock", "clock-peers", "tls"),
    }
    assert digests(healthy) == before


def test_its_report_for_machines(healthy: Path):
    healthy.chmod(0o755)
    document = found(healthy).document()
    assert json.loads(json.dumps(document)) == document
    assert (document["v"], document["ok"], document["failures"]) == (1, True, 0)
    told = {item["check"]: item for item in document["checks"]}
    assert told["folder"]["level"] == "warning"
    assert told["folder"]["code"] == "doctor-folder-open"
    assert told["folder"]["do"].keys() == {"fr", "en"}
    assert "code" not in told["keys"]


def test_settings_that_cannot_be_read_end_it(healthy: Path, tmp_path: Path):
    (healthy / "preau.toml").write_text("[node\n")
    assert one(found(healthy), "settings").level == "failure"
    assert len(found(tmp_path).findings) == 1


def test_keys_that_others_can_read(healthy: Path):
    (healthy / "keys" / "token-1.pem").chmod(0o644)
    finding = one(found(healthy), "keys")
    assert (finding.level, finding.code) == ("failure", "identity-key-mode")


def test_a_disk_that_is_nearly_full(healthy: Path, monkeypatch: pytest.MonkeyPatch):
    for free, level in ((10 << 20, "failure"), (500 << 20, "warning"), (5 << 30, "ok")):
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr(
            "connector.services.doctor.inside.shutil.disk_usage", lambda _, usage=usage: usage
        )
        assert one(found(healthy), "disk").level == level


@contextmanager
def taken(address: str) -> Iterator[None]:
    host, port = configuration.host_port(address)
    with socket.create_server((host, port)):
        yield


def test_a_port_somebody_else_holds(healthy: Path):
    checked = configuration.read(healthy)
    with taken(checked.listen.public):
        finding = one(found(healthy), "port-public")
    assert (finding.level, finding.code) == ("failure", "runtime-port-in-use")
    assert one(found(healthy), "port-public").level == "ok"


def test_a_running_node_that_does_not_answer(healthy: Path):
    checked = configuration.read(healthy)
    with NodeLock(healthy), taken(checked.listen.management):
        report = found(healthy, full=True)
    finding = one(report, "port-public")
    assert (finding.level, finding.code) == ("failure", "doctor-port-silent")
    assert one(report, "port-management").level == "ok"
    assert one(report, "log-full").code == "doctor-full-running"
    assert one(report, "public-url").code == "doctor-public-unreachable"
    assert one(report, "public-url").level == "failure"


@pytest.mark.parametrize(
    ("version", "code"), [("9999", "store-schema-new"), ("", "store-schema-new")]
)
def test_a_database_of_another_version(version: str, code: str, healthy: Path):
    change(healthy, "UPDATE schema_version SET version_num = ?", version)
    finding = one(found(healthy), "database")
    assert (finding.level, finding.code) == ("failure", code)


def test_a_database_that_is_none(healthy: Path):
    (healthy / "preau.sqlite").write_bytes(b"no database" * 100)
    assert one(found(healthy), "database").code == "store-damaged"
    (healthy / "preau.sqlite").unlink()
    assert one(found(healthy), "database").code == "store-missing"


def test_a_log_with_a_hole_or_a_foreign_checkpoint(healthy: Path):
    change(healthy, "DELETE FROM leaf WHERE idx = 3")
    assert one(found(healthy), "log").code == "evidence-log-hole"


def test_a_log_shorter_than_its_checkpoint(healthy: Path):
    change(healthy, "DELETE FROM leaf WHERE idx = (SELECT max(idx) FROM leaf)")
    assert one(found(healthy), "log").code == "evidence-log-shorter"


def test_a_checkpoint_that_is_not_ours(healthy: Path):
    change(healthy, "UPDATE checkpoint SET note = 'x'")
    assert one(found(healthy), "log").code == "evidence-log-checkpoint"


def test_a_changed_leaf_is_found_by_hashing_all(healthy: Path):
    change(healthy, "UPDATE leaf SET bytes = ? WHERE idx = 1", b"{}")
    assert one(found(healthy), "log").level == "ok"
    finding = one(found(healthy, full=True), "log-full")
    assert (finding.level, finding.code) == ("failure", "evidence-log-disagrees")


def test_all_leaves_hashed_again(healthy: Path):
    assert one(found(healthy, full=True), "log-full").level == "ok"


def test_a_journal_that_is_behind_ahead_damaged_or_gone(healthy: Path):
    path = healthy / "consent.journal"
    lines = path.read_bytes().splitlines(keepends=True)

    def written(content: bytes) -> Finding:
        path.write_bytes(content)
        return one(found(healthy), "journal")

    behind = written(b"".join(lines[:-1]))
    assert (behind.level, behind.code) == ("failure", "doctor-journal-behind")
    entry = json.loads(lines[-1]) | {"n": len(lines) + 1}
    ahead = written(b"".join([*lines, json.dumps(entry).encode() + b"\n"]))
    assert (ahead.level, ahead.code) == ("warning", "doctor-journal-pending")
    assert written(lines[1]).code == "subjects-journal-damaged"
    assert written(b"".join(lines) + b'{"torn').level == "ok"  # nobody was told of that one
    assert path.read_bytes().endswith(b'{"torn')
    path.unlink()
    assert one(found(healthy), "journal").code == "subjects-journal-unusable"


def test_a_quarantine(copy_of):
    finding = one(found(copy_of("platform")), "quarantine")
    assert (finding.level, finding.code) == ("warning", "doctor-quarantine")


def test_a_clock_that_went_back(healthy: Path):
    early = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert one(found(healthy, clock=early), "clock").code == "evidence-clock-back"
    between = ManualClock(LATER - timedelta(hours=1))
    assert one(found(healthy, clock=between), "clock").code == "doctor-clock-files"


# ------------------------------------------------------------------ through the public name


@pytest.fixture
def party(healthy: Path) -> tuple[configuration.Settings, KeyRing, str]:
    """Settings, keys and the address of the DID document."""
    checked = configuration.read(healthy)
    return (
        checked,
        KeyRing.load(healthy / "keys"),
        f"{checked.node.public_url}/.well-known/did.json",
    )


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"live": Response(502), "did.json": Response(200)}, "doctor-public-status"),
        ({"live": Response(200), "did.json": Response(404)}, "doctor-public-status"),
        ({"live": Response(200), "did.json": Response(200, {}, b"<html>")}, "doctor-public-other"),
        ({"live": Response(200), "did.json": Response(200, {}, b"{}")}, "doctor-public-other"),
        (
            {"live": Problem("delivery-tls", host="x", port=1, fault="expired")},
            "doctor-public-unreachable",
        ),
    ],
)
async def test_a_public_url_that_leads_elsewhere(answers, code: str, party):
    checked, ring, _ = party
    finding = await outside.own_url(Wire(answers=answers), checked, ring, running=True)
    assert (finding.level, finding.code) == ("failure", code)


async def test_a_private_address_is_no_failure(party):
    checked, ring, _ = party
    wire = Wire(answers={"live": Problem("delivery-address-refused", host="x")})
    assert (await outside.own_url(wire, checked, ring, running=True)).level == "warning"


async def test_a_public_url_that_leads_here(opening, healthy: Path, party):
    from connector.http import public

    checked, ring, _ = party
    async with opening(healthy) as platform:
        wire = Wire(public.app(platform.node))
        assert (await outside.own_url(wire, checked, ring, running=True)).level == "ok"


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, "ok"), (20, "ok"), (-40, "warning"), (90, "warning"), (900, "failure")],
)
async def test_the_clocks_of_peers(seconds: int, level: str, party):
    checked, _, _ = party
    date = format_datetime(NODE + timedelta(seconds=seconds), usegmt=True)
    wire = Wire(answers={"did.json": Response(404, {"date": date})})
    finding = await outside.clocks(wire, checked, ["did:web:a.example"] * 5, NODE)
    assert finding.level == level


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Foo 2026 10:00:00 GMT"])
async def test_a_date_that_is_none_is_no_answer(date: str, party):
    checked, _, _ = party
    wire = Wire(answers={"did.json": Response(200, {"date": date})})
    finding = await outside.clocks(wire, checked, ["did:web:a.example", "did:nonsense"], NODE)
    assert finding.level == "ok"
    assert "cannot be known" in finding.en


# ------------------------------------------------------------------ TLS


def certificate(folder: Path, host: str, days: int) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate with its key in one file, and a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{host}-{days}.pem"
    path.write_bytes(pem + secret)
    return path, ssl.create_default_context(cadata=pem.decode())


@contextmanager
def secured(path: Path) -> Iterator[int]:
    """A TLS server on loopback that greets two callers; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            try:
                plain, _ = listening.accept()
                with plain, context.wrap_socket(plain, server_side=True) as wrapped:
                    wrapped.recv(1)
            except OSError:
                pass

        thread = threading.Thread(target=greet)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("host", "days", "level", "code"),
    [
        ("localhost", 90, "ok", None),
        ("localhost", 10, "warning", "doctor-tls-expires"),
        ("localhost", 1, "failure", "doctor-tls-expires"),
        ("localhost", -1, "failure", "doctor-tls-invalid"),
        ("elsewhere.example", 90, "failure", "doctor-tls-invalid"),
    ],
)
def test_certificates(host: str, days: int, level: str, code: str | None, tmp_path: Path):
    path, trust = certificate(tmp_path, host, days)
    with secured(path) as port:
        now = datetime.now(UTC)
        finding = outside.tls(f"https://localhost:{port}/node", now, trust)
    assert (finding.level, finding.code) == (level, code)


@pytest.mark.parametrize("days", [-1, 90])
def test_a_certificate_that_peers_refuse_ends_now(tmp_path: Path, days: int):
    """The metric would vanish with its alarm at the very end otherwise."""
    path, _ = certificate(tmp_path, "localhost", days)
    now = datetime.now(UTC)
    with secured(path) as port:
        assert outside.certificate_end("localhost", port, now) == now


def test_a_certificate_nobody_vouches_for(tmp_path: Path):
    path, _ = certificate(tmp_path, "localhost", 90)
    with secured(path) as port:
        finding = outside.tls(f"https://localhost:{port}", NODE)
    assert (finding.level, finding.code) == ("failure", "doctor-tls-invalid")


def test_no_tls_at_all():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    finding = outside.tls(f"https://localhost:{port}", NODE)
    assert (finding.level, finding.code) == ("warning", "doctor-tls-silent")


def test_a_control_plane_without_a_token_that_does_not_answer(healthy: Path):
    assert not [one for one in found(healthy).findings if one.check.startswith("signaling")]
    with (healthy / configuration.FILE).open("a", encoding="utf-8") as settings:
        settings.write('\n[signaling]\ncontrol_plane = "http://localhost:1/control"\n')
    report = found(healthy)
    assert one(report, "signaling").code == "doctor-signaling-token"
    assert one(report, "signaling-control").code == "doctor-signaling-silent"
    change(healthy, "UPDATE token SET role = ?", "control-plane")
    assert one(found(healthy), "signaling").level == "ok"
