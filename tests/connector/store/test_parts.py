"""What a transfer has released: session, issues of parts, manifest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from connector.store import parts, transfers
from connector.store.rows import ManifestRow, PartRow, SessionRow
from connector.store.store import Store, Tx, Unit
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
T1 = "urn:uuid:t1"
R = TypeVar("R")


def part(n: int = 1, issue: int = 1, **changes: object) -> PartRow:
    members: dict[str, object] = {
        "transfer": T1,
        "n": n,
        "issue": issue,
        "rows": 256,
        "bytes": 10_000,
        "digest": f"hmac-sha-256:{n}-{issue}",
        "at": NOW,
        "start": 0,
        "stop": 300,
        "encoder": "ndjson/1",
        "leaf": 12,
        "epoch": 3,
        "withheld": 44,
    }
    return PartRow(**{**members, **changes})  # type: ignore[arg-type]


def writing(function: Callable[[Tx, R], None], row: R) -> Unit[None]:
    return lambda tx: function(tx, row)


def refused(store: Store, unit) -> str:
    with pytest.raises(Problem) as caught:
        store.write_now(unit)
    return caught.value.code


def test_sessions_by_transfer_and_token(with_transfer: Store):
    first = SessionRow(T1, "sha-256:00", {"cursor": 0})
    for row in (first, replace(first, token_hash="sha-256:11", body={"cursor": 7})):
        with_transfer.write_now(writing(parts.put_session, row))
    kept = with_transfer.read_now(lambda tx: parts.session(tx, transfer=T1))
    assert kept == SessionRow(T1, "sha-256:11", {"cursor": 7})

    def by_token(text: str) -> SessionRow | None:
        return with_transfer.read_now(lambda tx: parts.session_by_token(tx, token_hash=text))

    assert by_token("sha-256:11") == kept
    assert by_token("sha-256:00") is None


def test_parts_and_their_issues(with_transfer: Store):
    received = PartRow(T1, 2, 1, 10, 100, "hmac-sha-256:r", NOW)
    for row in (part(1, 1), part(1, 2), received):
        with_transfer.write_now(writing(parts.add, row))
    assert refused(with_transfer, lambda tx: parts.add(tx, part(1, 2))) == "store-conflict"
    assert with_transfer.read_now(lambda tx: parts.listing(tx, transfer=T1)) == [
        part(1, 1),
        part(1, 2),
        received,
    ]
    assert with_transfer.read_now(lambda tx: parts.latest(tx, transfer=T1, n=1)) == part(1, 2)
    assert with_transfer.read_now(lambda tx: parts.latest(tx, transfer=T1, n=3)) is None
    assert with_transfer.read_now(lambda tx: parts.last_number(tx, transfer=T1)) == 2
    assert with_transfer.read_now(lambda tx: parts.last_number(tx, transfer="none")) == 0


def test_the_records_released_count_the_newest_issue_of_each_part(with_transfer: Store):
    transfer = with_transfer.read_now(lambda tx: transfers.get(tx, pid=T1))
    assert transfer is not None
    agreement = transfer.agreement
    for row in (part(1, 1, rows=100), part(1, 2, rows=90), part(2, 1, rows=7)):
        with_transfer.write_now(writing(parts.add, row))

    def released(agreement: str, besides: tuple[str, int]) -> int:
        return with_transfer.read_now(
            lambda tx: parts.released(tx, agreement=agreement, besides=besides)
        )

    assert released(agreement, (T1, 3)) == 97
    assert released(agreement, (T1, 2)) == 90
    assert released(agreement, (T1, 1)) == 7
    assert released(agreement, ("urn:uuid:another", 1)) == 97
    assert released("urn:uuid:no-agreement", (T1, 1)) == 0


def test_an_acknowledgement_names_the_digest_and_counts_once(with_transfer: Store):
    with_transfer.write_now(lambda tx: parts.add(tx, part()))

    def acknowledge(digest: str, at: datetime, issue: int = 1) -> bool:
        return with_transfer.write_now(
            lambda tx: parts.acknowledge(tx, transfer=T1, n=1, issue=issue, digest=digest, at=at)
        )

    assert acknowledge("hmac-sha-256:other", NOW) is False
    assert acknowledge("hmac-sha-256:1-1", NOW, issue=2) is False
    assert acknowledge("hmac-sha-256:1-1", NOW) is True
    assert acknowledge("hmac-sha-256:1-1", NOW + timedelta(hours=1)) is True
    kept = with_transfer.read_now(lambda tx: parts.get(tx, transfer=T1, n=1, issue=1))
    assert kept == part(acknowledged=NOW)


def test_the_manifest_waits_for_its_receipt(with_transfer: Store):
    row = ManifestRow(T1, {"v": 1}, NOW)
    receipt = {"v": 1, "manifest": "sha-256:00"}

    def unit(tx: Tx) -> None:
        parts.put_receipt(tx, transfer=T1, receipt=receipt)

    assert refused(with_transfer, unit) == "store-unknown"
    with_transfer.write_now(lambda tx: parts.put_manifest(tx, row))
    with_transfer.write_now(unit)
    kept = with_transfer.read_now(lambda tx: parts.manifest(tx, transfer=T1))
    assert kept == replace(row, receipt=receipt)


def test_nothing_hangs_on_an_unknown_transfer(store: Store):
    units = [
        lambda tx: parts.put_session(tx, SessionRow(T1, None, {})),
        lambda tx: parts.add(tx, part()),
        lambda tx: parts.put_manifest(tx, ManifestRow(T1, {}, NOW)),
    ]
    assert [refused(store, unit) for unit in units] == ["store-integrity"] * 3
