"""Negotiations, agreements, transfers, and what they leave behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from connector.protocol.machine import Role
from connector.protocol.negotiation import Negotiation
from connector.protocol.negotiation import State as NegotiationState
from connector.protocol.transfer import State as TransferState
from connector.protocol.transfer import Transfer
from connector.store import agreements, decisions, inbox, messages, negotiations, replay, transfers
from connector.store.rows import AgreementRow, DecisionRow, InboxRow, MessageRow
from connector.store.store import Store, Tx, Unit
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
Make = Callable[..., Negotiation]
R = TypeVar("R")


def refused(store: Store, unit) -> str:
    with pytest.raises(Problem) as caught:
        store.write_now(unit)
    return caught.value.code


def saving(row: Negotiation, expected: int | None) -> Unit[None]:
    return lambda tx: negotiations.save(tx, row, expected_version=expected)


class TestNegotiations:
    def test_one_comes_back_as_it_went_in(self, any_store: Store, negotiation: Make):
        full = negotiation(
            application={"v": 1, "period": {"from": None}},
            awaiting=("ethics", "dpo"),
            agreement_id="urn:uuid:a",
            created=NOW + timedelta(microseconds=1),
        )
        any_store.write_now(lambda tx: negotiations.save(tx, full, expected_version=None))
        assert any_store.read_now(lambda tx: negotiations.get(tx, pid=full.pid)) == full
        assert any_store.read_now(lambda tx: negotiations.get(tx, pid="urn:uuid:x")) is None

    def test_versions_decide(self, any_store: Store, negotiation: Make):
        first = negotiation()
        second = replace(first, state=NegotiationState.AGREED, version=2, peer_pid="urn:uuid:new")

        assert refused(any_store, saving(first, 1)) == "store-conflict"
        any_store.write_now(saving(first, None))
        assert refused(any_store, saving(first, None)) == "store-conflict"
        any_store.write_now(saving(second, 1))
        assert refused(any_store, saving(replace(second, version=3), 1)) == "store-conflict"
        assert any_store.read_now(lambda tx: negotiations.get(tx, pid=first.pid)) == second

    def test_listing_by_state_oldest_first(self, any_store: Store, negotiation: Make):
        rows = [
            negotiation("urn:uuid:b", created=NOW),
            negotiation("urn:uuid:a", created=NOW + timedelta(microseconds=1)),
            negotiation("urn:uuid:c", created=NOW, state=NegotiationState.TERMINATED),
        ]
        for row in rows:
            any_store.write_now(saving(row, None))
        pids = [row.pid for row in any_store.read_now(negotiations.listing)]
        assert pids == ["urn:uuid:b", "urn:uuid:c", "urn:uuid:a"]
        open_ones = any_store.read_now(lambda tx: negotiations.listing(tx, state="REQUESTED"))
        assert open_ones == rows[:2]

    def test_those_that_run_with_a_participant(self, any_store: Store, negotiation: Make):
        rows = [
            negotiation("urn:uuid:a", state=NegotiationState.VERIFIED),
            negotiation("urn:uuid:b", state=NegotiationState.TERMINATED),
            negotiation("urn:uuid:c", state=NegotiationState.FINALIZED),
            negotiation("urn:uuid:d", role=Role.CONSUMER),
            negotiation("urn:uuid:e", peer="did:web:x"),
        ]
        for row in rows:
            any_store.write_now(saving(row, None))
        peer = rows[0].peer
        found = any_store.read_now(lambda tx: negotiations.running(tx, peer=peer))
        assert found == [rows[0], rows[3]]
        assert any_store.read_now(lambda tx: negotiations.running(tx, peer="did:web:y")) == []

    def test_saving_wakes_who_waits(self, store: Store, negotiation: Make):
        woken: list[str] = []
        store.on_commit(lambda: woken.append("x"), topic="negotiation")
        store.write_now(lambda tx: negotiations.save(tx, negotiation(), expected_version=None))
        store.close()
        assert woken == ["x"]


class TestAgreements:
    def test_one_comes_back_as_it_went_in(
        self, store: Store, negotiation: Make, agreed: Callable[..., AgreementRow]
    ):
        full = agreed(
            provider_proof={"p": 1},
            consumer_proof={"c": 1},
            plan={"v": 1},
            plan_digest="sha-256:11",
            application={"v": 1},
            dataset_document={"v": 1},
            expires=NOW + timedelta(days=30),
            body={"offer": "urn:offer"},
        )
        store.write_now(lambda tx: negotiations.save(tx, negotiation(), expected_version=None))
        store.write_now(lambda tx: agreements.add(tx, full))
        assert store.read_now(lambda tx: agreements.get(tx, id=full.id)) == full
        assert store.read_now(
            lambda tx: agreements.by_negotiation(tx, negotiation="urn:uuid:1")
        ) == (full)
        assert store.read_now(lambda tx: agreements.get(tx, id="x")) is None
        assert refused(store, lambda tx: agreements.add(tx, full)) == "store-conflict"

    def test_one_agreement_per_negotiation_that_exists(
        self, with_agreement: Store, agreed: Callable[..., AgreementRow]
    ):
        second = agreed("urn:uuid:other")
        assert refused(with_agreement, lambda tx: agreements.add(tx, second)) == "store-integrity"
        stray = agreed("urn:uuid:other", negotiation="urn:uuid:none")
        assert refused(with_agreement, lambda tx: agreements.add(tx, stray)) == "store-integrity"

    def test_what_was_signed_never_changes(
        self, with_agreement: Store, agreed: Callable[..., AgreementRow]
    ):
        changed = agreed(state="active", consumer_proof={"c": 1}, document={"v": 2}, peer="x")
        with_agreement.write_now(lambda tx: agreements.update_row(tx, changed))
        kept = with_agreement.read_now(lambda tx: agreements.get(tx, id=changed.id))
        assert kept == agreed(state="active", consumer_proof={"c": 1})
        other = agreed(digest="sha-256:ff")
        assert refused(with_agreement, lambda tx: agreements.update_row(tx, other)) == (
            "store-conflict"
        )

    def test_states(self, with_agreement: Store):
        with_agreement.write_now(
            lambda tx: agreements.set_state(tx, id="urn:uuid:agreement", state="ended")
        )
        ended = with_agreement.read_now(lambda tx: agreements.listing(tx, state="ended"))
        assert [row.id for row in ended] == ["urn:uuid:agreement"]
        assert with_agreement.read_now(lambda tx: agreements.listing(tx, state="active")) == []
        assert len(with_agreement.read_now(agreements.listing)) == 1
        code = refused(
            with_agreement, lambda tx: agreements.set_state(tx, id="none", state="ended")
        )
        assert code == "store-unknown"

    def test_one_begins_once_and_only_before_its_end(
        self, any_store: Store, negotiation: Make, agreed: Callable[..., AgreementRow]
    ):
        any_store.write_now(saving(negotiation(), None))
        any_store.write_now(lambda tx: agreements.add(tx, agreed()))
        (ident, peer) = agreed().id, agreed().peer

        def active() -> list[str]:
            found = any_store.read_now(lambda tx: agreements.active(tx, peer=peer))
            return [row.id for row in found]

        assert active() == []
        for _ in range(2):
            any_store.write_now(lambda tx: agreements.begin(tx, id=ident))
            assert active() == [ident]
        assert any_store.read_now(lambda tx: agreements.active(tx, peer="did:web:x")) == []
        any_store.write_now(lambda tx: agreements.set_state(tx, id=ident, state="ended"))
        any_store.write_now(lambda tx: agreements.begin(tx, id=ident))
        assert active() == []
        assert refused(any_store, lambda tx: agreements.begin(tx, id="none")) == "store-unknown"


class TestTransfers:
    def test_one_lives_under_its_agreement(
        self, with_transfer: Store, transfer: Callable[..., Transfer]
    ):
        first = transfer()
        started = replace(first, state=TransferState.STARTED, version=2, data_address={"a": "b"})
        with_transfer.write_now(lambda tx: transfers.save(tx, started, expected_version=1))
        assert with_transfer.read_now(lambda tx: transfers.get(tx, pid=first.pid)) == started
        assert with_transfer.read_now(
            lambda tx: transfers.of_agreement(tx, agreement=first.agreement)
        ) == [started]
        assert with_transfer.read_now(lambda tx: transfers.of_agreement(tx, agreement="x")) == []
        assert with_transfer.read_now(transfers.listing) == [started]
        assert with_transfer.read_now(lambda tx: transfers.listing(tx, state="REQUESTED")) == []
        assert refused(
            with_transfer, lambda tx: transfers.save(tx, started, expected_version=1)
        ) == ("store-conflict")

    def test_those_we_serve_are_found_among_all(
        self, with_agreement: Store, transfer: Callable[..., Transfer]
    ):
        made = [
            transfer("urn:uuid:a", state=TransferState.STARTED),
            transfer("urn:uuid:b", state=TransferState.SUSPENDED),
            transfer("urn:uuid:c"),
            transfer("urn:uuid:d", state=TransferState.COMPLETED),
            transfer("urn:uuid:e", state=TransferState.STARTED, role=Role.CONSUMER),
        ]

        def unit(tx: Tx) -> None:
            for row in made:
                transfers.save(tx, row, expected_version=None)

        with_agreement.write_now(unit)
        found = with_agreement.read_now(transfers.served)
        assert found == made[:2]
        under = made[0].agreement
        assert with_agreement.read_now(lambda tx: transfers.served(tx, agreement=under)) == found
        assert with_agreement.read_now(lambda tx: transfers.served(tx, agreement="x")) == []

    def test_each_has_its_place_under_its_agreement(
        self, with_agreement: Store, transfer: Callable[..., Transfer]
    ):
        first = transfer("urn:uuid:z")
        later = first.created + timedelta(seconds=1)
        made = [first, *(transfer(f"urn:uuid:{pid}", created=later) for pid in "ab")]

        def unit(tx: Tx) -> None:
            for row in reversed(made):
                transfers.save(tx, row, expected_version=None)

        with_agreement.write_now(unit)
        found = with_agreement.read_now(lambda tx: [transfers.place(tx, row) for row in made])
        assert found == [1, 2, 3]

    def test_those_that_run_with_a_participant(
        self,
        any_store: Store,
        negotiation: Make,
        agreed: Callable[..., AgreementRow],
        transfer: Callable[..., Transfer],
    ):
        any_store.write_now(saving(negotiation(), None))
        any_store.write_now(lambda tx: agreements.add(tx, agreed()))
        made = [
            transfer("urn:uuid:a", state=TransferState.SUSPENDED),
            transfer("urn:uuid:b", role=Role.CONSUMER),
            transfer("urn:uuid:c", state=TransferState.COMPLETED),
            transfer("urn:uuid:d", state=TransferState.TERMINATED),
            transfer("urn:uuid:e", peer="did:web:x"),
        ]

        def unit(tx: Tx) -> None:
            for row in made:
                transfers.save(tx, row, expected_version=None)

        any_store.write_now(unit)
        found = any_store.read_now(lambda tx: transfers.running(tx, peer=made[0].peer))
        assert found == made[:2]

    def test_no_transfer_without_agreement(self, store: Store, transfer: Callable[..., Transfer]):
        code = refused(store, lambda tx: transfers.save(tx, transfer(), expected_version=None))
        assert code == "store-integrity"


def each(add: Callable[[Tx, R], None], tx: Tx, *rows: R) -> None:
    for row in rows:
        add(tx, row)


def test_messages_keep_their_bytes_and_order(any_store: Store):
    rows = [
        MessageRow("p1", "in", "ContractRequestMessage", "sha-256:1", b'{"b": 1,  "a":2}', NOW),
        MessageRow("p2", "in", "ContractRequestMessage", "sha-256:2", b"{}", NOW),
        MessageRow("p1", "out", "ContractAgreementMessage", "sha-256:3", b"{}", NOW, seq=99),
    ]
    any_store.write_now(lambda tx: each(messages.add, tx, *rows))
    kept = any_store.read_now(lambda tx: messages.of(tx, process="p1"))
    assert kept == [replace(rows[0], seq=1), replace(rows[2], seq=3)]


def test_decisions_keep_both_renderings(any_store: Store):
    row = DecisionRow("p1", "person", "dpo", "actor-1", "permit", {"a": 1}, {"a": 1, "b": []}, NOW)
    automatic = replace(row, kind="automatic", role=None, actor=None)
    any_store.write_now(lambda tx: each(decisions.add, tx, row, automatic))
    assert any_store.read_now(lambda tx: decisions.of(tx, process="p1")) == [
        replace(row, seq=1),
        replace(automatic, seq=2),
    ]
    assert any_store.read_now(lambda tx: decisions.of(tx, process="p2")) == []


def test_the_inbox_answers_once_and_remembers(any_store: Store):
    row = InboxRow("key", "did:web:p", "sha-256:00", 201, b'{"exact": "bytes" }', NOW)
    any_store.write_now(lambda tx: inbox.put(tx, row))
    assert any_store.read_now(lambda tx: inbox.find(tx, key="key")) == row
    assert any_store.read_now(lambda tx: inbox.find(tx, key="other")) is None
    assert refused(any_store, lambda tx: inbox.put(tx, row)) == "store-conflict"


def test_tokens_are_remembered_per_issuer_until_they_expire(any_store: Store):
    def use(issuer: str, jti: str, expires: datetime = NOW) -> bool:
        return any_store.write_now(
            lambda tx: replay.remember(tx, issuer=issuer, jti=jti, expires=expires)
        )

    assert use("a", "1")
    assert not use("a", "1")
    assert not use("a", "1", NOW + timedelta(hours=1))
    assert use("b", "1")
    assert use("a", "2", NOW + timedelta(seconds=1))
    assert any_store.write_now(lambda tx: replay.purge(tx, now=NOW)) == 0
    assert any_store.write_now(lambda tx: replay.purge(tx, now=NOW + timedelta(seconds=0.5))) == 2
    assert not use("a", "2")
