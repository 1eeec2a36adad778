"""What is written once: numbered, shared, known while a transaction lasts; brought from before."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from connector.protocol.negotiation import Negotiation
from connector.store import agreements, contents, messages, migrate, negotiations, outbox
from connector.store.rows import AgreementRow, MessageRow, OutboxRow
from connector.store.statement import Statement
from connector.store.store import Store
from connector.store.tables import CONTENT
from connector.store.tx import Tx
from policies.problem import Problem
from tests.connector.store.test_contract import WAIT, Gate, asked

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
DATABASES = Path(__file__).parent / "databases"
LAB, MOOC = "did:web:lab.example", "did:web:mooc.example"

_ALL = Statement(select(CONTENT.c.n, CONTENT.c.digest, CONTENT.c.body).order_by(CONTENT.c.n))
_LOST = Statement(update(CONTENT).where(CONTENT.c.n == 1).values(n=99))


def kept(store: Store) -> list[tuple[int, bool, Any]]:
    """Number, whether it is shared, and what it says."""
    rows = store.read_now(lambda tx: tx.run(_ALL))
    return [(n, digest is not None, json.loads(body)) for n, digest, body in rows]


def terms(store: Store) -> int:
    return len(kept(store))


def test_contents_are_numbered_in_order(any_store: Store):
    assert any_store.write_now(lambda tx: [contents.put(tx, {"a": n}) for n in (1, 2)]) == [1, 2]
    assert any_store.write_now(lambda tx: contents.put(tx, b'{"a":3}')) == 3
    assert kept(any_store) == [(n, False, {"a": n}) for n in (1, 2, 3)]


def test_an_object_has_one_number_in_a_transaction(any_store: Store):
    one, other = {"a": 1}, {"a": 1}

    def unit(tx: Tx) -> list[int]:
        return [contents.put(tx, each) for each in (one, other, one)]

    assert any_store.write_now(unit) == [1, 2, 1]
    # Nothing of it is remembered beyond: a number may be another's after a rollback.
    assert any_store.write_now(unit) == [3, 4, 3]


def test_what_is_shared_has_one_number_for_ever(any_store: Store):
    def unit(tx: Tx) -> list[int]:
        return [contents.share(tx, {"id": name}) for name in ("x", "y", "x")]

    assert any_store.write_now(unit) == [1, 2, 1]
    assert any_store.write_now(unit) == [1, 2, 1]
    assert kept(any_store) == [(1, True, {"id": "x"}), (2, True, {"id": "y"})]


async def test_a_unit_that_fails_takes_its_contents_back(any_store: Store):
    def failing(tx: Tx) -> None:
        contents.put(tx, {"lost": True})
        contents.share(tx, {"shared": True})
        raise Problem("store-conflict", what="test")

    gate = Gate(any_store)
    units = (
        lambda tx: contents.share(tx, {"id": "x"}),
        failing,
        lambda tx: contents.share(tx, {"shared": True}),
    )
    tasks = await asked(any_store, *units)
    gate.open()
    found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), WAIT)
    one, refused, other = found
    assert isinstance(refused, Problem)
    assert kept(any_store) == [(one, True, {"id": "x"}), (other, True, {"shared": True})]
    # A number that was taken back is nobody's again, so what knows one by mistake finds nothing.
    assert any_store.write_now(lambda tx: contents.put(tx, {"next": 1})) == int(str(other)) + 1 > 3


def test_a_step_writes_no_terms_again(any_store: Store, negotiation: Callable[..., Negotiation]):
    n = negotiation(application={"id": "urn:a"})
    any_store.write_now(lambda tx: negotiations.keep(tx, n))
    assert terms(any_store) == 2

    def step(tx: Tx) -> None:
        read = negotiations.get(tx, pid=n.pid)
        assert read == n
        negotiations.keep(tx, replace(read, version=2))
        negotiations.keep(tx, replace(read, version=3, agreement={"@id": "urn:b"}))

    any_store.write_now(step)
    assert terms(any_store) == 3
    found = any_store.read_now(lambda tx: negotiations.get(tx, pid=n.pid))
    assert found == replace(n, version=3, agreement={"@id": "urn:b"})


def test_other_terms_take_the_place_of_the_first(
    any_store: Store, negotiation: Callable[..., Negotiation]
):
    n = negotiation()
    any_store.write_now(lambda tx: negotiations.keep(tx, n))
    countered = replace(n, offer={"@id": "urn:other"}, version=2)
    any_store.write_now(lambda tx: negotiations.save(tx, countered, expected_version=1))
    assert any_store.read_now(negotiations.listing) == [countered]


def test_terms_may_be_empty(any_store: Store, negotiation: Callable[..., Negotiation]):
    n = negotiation(offer={}, application={}, agreement=None)
    any_store.write_now(lambda tx: negotiations.keep(tx, n))
    assert any_store.read_now(lambda tx: negotiations.get(tx, pid=n.pid)) == n


def test_an_agreement_and_its_negotiation_say_it_once(
    any_store: Store,
    negotiation: Callable[..., Negotiation],
    agreed: Callable[..., AgreementRow],
):
    wire, application = {"@id": "urn:w"}, {"id": "urn:a"}

    def unit(tx: Tx) -> None:
        for name in ("1", "2"):
            n = negotiation(f"urn:{name}", agreement=wire, application=application)
            negotiations.keep(tx, n)
            row = agreed(f"urn:a{name}", negotiation=n.pid, wire=wire, application=application)
            row = replace(row, plan={"v": name}, did={"id": MOOC}, dataset_document={"v": 1})
            agreements.add(tx, row)

    any_store.write_now(unit)
    found = kept(any_store)
    assert [one for _, _, one in found].count(wire) == 1
    assert [one for _, _, one in found].count(application) == 1
    assert [(shared, one) for _, shared, one in found if shared] == [
        (True, {"v": 1}),
        (True, {"id": MOOC}),
    ]
    rows = any_store.read_now(agreements.listing)
    assert [row.plan for row in rows] == [{"v": "1"}, {"v": "2"}]
    assert all(
        (row.wire, row.application, row.peer_did) == (wire, application, None) for row in rows
    )


def test_a_second_signature_rewrites_nothing_that_was_signed(
    any_store: Store,
    negotiation: Callable[..., Negotiation],
    agreed: Callable[..., AgreementRow],
):
    row = agreed()

    def first(tx: Tx) -> None:
        negotiations.keep(tx, negotiation())
        agreements.add(tx, row)

    any_store.write_now(first)
    before = terms(any_store)

    def second(tx: Tx) -> None:
        promised = agreements.promised(tx, id=row.id)
        assert promised is not None
        signed = replace(promised, consumer_proof={"proofValue": "z"}, peer_did={"id": LAB})
        agreements.countersigned(tx, signed)

    any_store.write_now(second)
    assert terms(any_store) == before + 1
    found = any_store.read_now(lambda tx: agreements.get(tx, id=row.id))
    assert found == replace(row, consumer_proof={"proofValue": "z"}, peer_did={"id": LAB})


def test_a_message_and_its_place_in_the_outbox_have_one_body(any_store: Store):
    body = b'{"b": 1,  "a":2}'
    row = OutboxRow("p1", LAB, "https://lab.example/x", "T", body, NOW, NOW)

    def unit(tx: Tx) -> None:
        messages.add(tx, MessageRow("p1", "out", "T", "sha-256:1", body, NOW))
        outbox.put(tx, row)

    any_store.write_now(unit)
    assert terms(any_store) == 1
    (said,) = any_store.read_now(lambda tx: messages.of(tx, process="p1"))
    (queued,) = any_store.read_now(lambda tx: outbox.of(tx, process="p1"))
    assert (said.body, queued.body) == (body, body)
    # Sent again as it was, it is written no second time.
    any_store.write_now(lambda tx: outbox.put(tx, outbox.of(tx, process="p1")[0]))
    assert terms(any_store) == 1


def test_a_content_that_is_gone_is_damage(
    any_store: Store, negotiation: Callable[..., Negotiation]
):
    n = negotiation()
    any_store.write_now(lambda tx: negotiations.keep(tx, n))
    any_store.write_now(lambda tx: tx.change(_LOST))
    with pytest.raises(Problem) as caught:
        any_store.read_now(lambda tx: negotiations.get(tx, pid=n.pid))
    assert caught.value.code == "store-damaged"


# ---------------------------------------------------------------- what was written before


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A database of the schema before, as it is after the upgrade."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATABASES / "0003.sql").read_text("utf-8"))
    migrate.upgrade(path)
    return path


def test_an_upgrade_brings_all_that_was_said(brought: Path):
    store = Store.open(brought)

    def unit(tx: Tx) -> None:
        one, two, three = negotiations.listing(tx)
        assert one.offer == {
            "@id": "urn:offer",
            "@type": "Offer",
            "permission": [{"action": "use", "note": "é"}],
        }
        assert one.application == {
            "id": "urn:application",
            "purpose": "research",
            "fields": ["a", "b"],
        }
        assert (three.application, three.agreement, three.offer) == (None, None, one.offer)
        first, second = agreements.listing(tx)
        assert (first.did, first.peer_did, first.wire) == ({"id": MOOC}, {"id": LAB}, one.agreement)
        assert (first.document, first.plan, first.body) == ({"v": 1, "id": first.id}, {"v": 1}, {})
        assert first.application == one.application
        assert first.consumer_proof == {"proofValue": "c"}
        assert (second.plan, second.peer_did, second.body) == (None, None, {"control": "theirs"})
        assert second.wire == {**(two.agreement or {}), "@id": "another"}
        (said,) = messages.of(tx, process=one.pid)
        (sent,) = outbox.of(tx, process=one.pid)
        assert (
            said.body
            == sent.body
            == (
                b'{"@type":"ContractAgreementMessage","agreement":{"@id":"urn:agreement",'
                b'"@type":"Agreement","target":"https://mooc.example/datasets/traces"}}'
            )
        )
        assert (sent.state, sent.answer) == ("sent", b"{}")
        (started,) = messages.of(tx, process="urn:t1")
        (waiting,) = outbox.of(tx, process="urn:t1")
        assert b"token" not in started.body
        assert b"token" in waiting.body
        assert waiting.state == "pending"

    store.write_now(unit)
    found = [one for _, _, one in kept(store)]
    assert found.count({"id": MOOC}) == 1, "shared by the agreements"
    assert found.count({"v": 1, "subject": {"id": "https://mooc.example/datasets/traces"}}) == 1
    numbers = store.write_now(
        lambda tx: [contents.put(tx, {"new": 1}), contents.share(tx, {"id": MOOC})]
    )
    assert numbers[0] == len(found) + 1
    assert numbers[1] <= len(found)
    store.close()


def test_what_refers_to_the_tables_still_does(brought: Path):
    with closing(sqlite3.connect(brought)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("PRAGMA foreign_keys=ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("DELETE FROM agreement WHERE id = 'urn:agreement'")
        left = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'held%'")
        assert left.fetchall() == []
