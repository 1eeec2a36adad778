"""Columns and dataclasses: instants that sort, rows that come back equal."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from connector.store import rows, tables
from connector.store.codec import Codec, instant, stamp

instants = st.datetimes(timezones=st.just(UTC))


@given(instants)
def test_an_instant_survives(moment: datetime):
    assert instant(stamp(moment)) == moment
    assert len(stamp(moment)) == 27
    assert stamp(moment).endswith("Z")


@given(instants, instants)
def test_stamps_sort_as_instants_do(a: datetime, b: datetime):
    assert (stamp(a) < stamp(b)) == (a < b)


def test_a_stamp_is_utc():
    paris = timezone(timedelta(hours=2))
    assert stamp(datetime(2026, 9, 1, 10, tzinfo=paris)) == "2026-09-01T08:00:00.000000Z"


def test_every_column_of_a_table_is_a_field_of_its_row():
    pairs = [
        (rows.TokenRow, tables.TOKEN, {}),
        (rows.PeerRow, tables.PEER, {}),
        (rows.DatasetRow, tables.DATASET, {"group": "grp"}),
        (rows.DocumentRow, tables.DOCUMENT, {}),
        (rows.HeadRow, tables.HEAD, {"group": "grp"}),
        (rows.RevisionRow, tables.REVISION, {}),
        (rows.AgreementRow, tables.AGREEMENT, {}),
        (rows.MessageRow, tables.MESSAGE, {}),
        (rows.DecisionRow, tables.DECISION, {}),
        (rows.InboxRow, tables.INBOX, {}),
        (rows.OutboxRow, tables.OUTBOX, {}),
        (rows.SessionRow, tables.SESSION, {}),
        (rows.PartRow, tables.PART, {}),
        (rows.ManifestRow, tables.MANIFEST, {}),
        (rows.LeafRow, tables.LEAF, {"data": "bytes"}),
        (rows.CheckpointRow, tables.CHECKPOINT, {}),
        (rows.AliasRow, tables.ALIAS, {}),
        (rows.ConsentEventRow, tables.CONSENT_EVENT, {}),
        (rows.TickRow, tables.TICK, {}),
    ]
    for row, table, spelled in pairs:
        assert set(Codec(row, table, **spelled).names) == set(table.c.keys())
