"""What is kept of the attempts to deliver a message: the first, the last, no more."""

from dataclasses import replace
from datetime import UTC, datetime

from connector.delivery import attempts as noting
from connector.store import attempts, outbox
from connector.store.rows import AttemptRow, OutboxRow
from connector.store.store import Store

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
ROW = OutboxRow("p1", "did:web:a.example", "https://a.example/x", "T", b"{}", NOW, NOW)


def test_attempts_come_by_message_and_number_and_are_bounded(any_store: Store):
    def unit(tx):
        first, second = outbox.put(tx, ROW), outbox.put(tx, ROW)
        outbox.put(tx, replace(ROW, process="p2"))
        for n in range(100):
            attempts.put(tx, AttemptRow(first, n, NOW, problem="delivery-timeout", next_at=NOW))
        attempts.put(tx, AttemptRow(second, 1, NOW, status=503, answer=b"{}"))
        attempts.put(tx, AttemptRow(second, 1, NOW, status=200))
        return first, second

    first, second = any_store.write_now(unit)
    found = any_store.write_now(lambda tx: attempts.of(tx, process="p1"))
    numbers = [row.n for row in found if row.outbox == first]
    assert numbers == [*range(attempts.FIRST + 1), *range(100 - attempts.LAST, 100)]
    assert found[-1] == AttemptRow(second, 1, NOW, status=200)
    assert any_store.write_now(lambda tx: attempts.of(tx, process="p2")) == []


def test_a_postponed_message_has_used_no_attempt_and_keeps_its_answer(any_store: Store):
    def unit(tx):
        seq = outbox.put(tx, ROW)
        outbox.claim(tx, now=NOW, lease_seconds=9, limit=1)
        outbox.retry(tx, seq=seq, next_at=NOW, status=503, answer=b"busy")
        outbox.claim(tx, now=NOW, lease_seconds=9, limit=1)
        assert outbox.postpone(tx, seq=seq, next_at=NOW)
        return outbox.get(tx, seq=seq)

    row = any_store.write_now(unit)
    assert (row.attempts, row.lease_until, row.answer_status, row.answer) == (1, None, 503, b"busy")


def test_an_answer_is_clipped_and_bears_no_secret():
    assert noting.clipped(b"") is None
    assert noting.clipped(b'{"dataAddress":{"x":"s3cret"},"code":"a"}') == b'{"code":"a"}'
    assert noting.clipped(b"[1,2]") == b"[1,2]"
    assert noting.clipped("é\x00\x1b[31m".encode()) == "é  [31m".encode()
    long = noting.clipped(b'"' + "é".encode() * 5_000 + b'"')
    assert long is not None
    assert len(long) <= noting.CLIPPED
    long.decode()
