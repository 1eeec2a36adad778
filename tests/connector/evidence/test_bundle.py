"""An honest bundle verifies, on either side, and is the same bytes every time."""

import io
import json
import zipfile
from typing import Any

import pytest

from connector.evidence.verify import verify
from policies.problem import Problem


def failures(report) -> Any:
    return [(check.name, check.where, check.en) for check in report.failures]


def save(data, folder) -> Any:
    path = folder / "bundle.zip"
    path.write_bytes(data)
    return path


def test_the_providers_bundle_verifies(played, tmp_path):
    report = verify(save(played.data, tmp_path))
    assert failures(report) == []
    assert report.ok
    unseen = {check.name for check in report.checks if check.ok is None}
    assert unseen == {"private", "files", "log"}
    assert "VALID" in report.verdict("en")
    assert "sans témoin" in report.verdict("fr")


def test_the_consumers_bundle_verifies_and_says_where_the_parts_are(played_by_lab, tmp_path):
    report = verify(save(played_by_lab.data, tmp_path))
    assert failures(report) == []
    unseen = {check.name for check in report.checks if check.ok is None}
    assert unseen == {"plan", "decisions", "parts", "private", "files", "log"}


def test_private_bodies_are_checked_where_shown(played, write_bundle, tmp_path, parties):
    data = write_bundle(parties["platform"], played.parts, private=True)
    report = verify(save(data, tmp_path))
    assert failures(report) == []
    assert "private" in {check.name for check in report.checks if check.ok}
    assert b"withheld" not in zipfile.ZipFile(io.BytesIO(played.data)).read("leaves.jsonl")


def test_the_same_parts_are_the_same_bytes(played, write_bundle, parties):
    assert write_bundle(parties["platform"], played.parts) == played.data


def test_a_bundle_bears_no_token(played):
    with zipfile.ZipFile(io.BytesIO(played.data)) as archive:
        for name in archive.namelist():
            assert b"secret" not in archive.read(name), name


def test_the_report_names_the_keys_it_rests_on(played, tmp_path):
    document: Any = verify(save(played.data, tmp_path)).document()
    assert {(key["did"], key["use"]) for key in document["keys"]} == {
        ("did:web:platform.example", "assertion"),
        ("did:web:platform.example", "log"),
        ("did:web:lab.example", "assertion"),
        ("did:web:lab.example", "log"),
    }
    assert document["grade"] == "unwitnessed"
    json.dumps(document)


def test_a_peer_that_does_not_sign_is_said_to_be_attested(node, make_deal, play_on, tmp_path):
    deal = make_deal(signs=False)
    report = verify(save(play_on(node, deal).data, tmp_path))
    assert failures(report) == []
    said = [check.en for check in report.checks if check.name == "agreement" and check.ok is None]
    assert "attested by transport" in said[0]


@pytest.fixture
def received(played, tmp_path):
    """The consumer's folder."""
    folder = tmp_path / "received"
    folder.mkdir()
    rows = b'{"row":1}\n{"row":2}\n{"row":3}\n{"row":4}\n{"row":5}\n{"row":6}\n'
    (folder / "data.ndjson").write_bytes(rows)
    handover = played.parts.handovers[0]
    (folder / "manifest.json").write_text(json.dumps(handover.manifest))
    (folder / "receipt.json").write_text(json.dumps(handover.receipt))
    return folder


def test_received_files_are_checked_part_by_part(played, received, tmp_path):
    report = verify(save(played.data, tmp_path), files=received)
    assert failures(report) == []
    assert "files" in {check.name for check in report.checks if check.ok}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("data.ndjson", b'"row":3', b'"row":9'), "data.ndjson part 2"),
        (("data.ndjson", b'{"row":6}\n', b'{"row":6}\n{"row":7}\n'), "data.ndjson"),
        (("data.ndjson", b'{"row":6}\n', b""), "data.ndjson part 3"),
        (("receipt.json", b"09:00", b"09:01"), "receipt.json"),
        (("manifest.json", b"complete", b"cut"), "manifest.json"),
    ],
    ids=["value", "row-more", "row-less", "receipt", "manifest"],
)
def test_a_change_in_the_received_files_is_found(played, received, tmp_path, change, found):
    name, old, new = change
    path = received / name
    path.write_bytes(path.read_bytes().replace(old, new))
    report = verify(save(played.data, tmp_path), files=received)
    assert {check.name for check in report.failures} == {"files"}
    assert report.failures[0].where.endswith(found)


@pytest.mark.parametrize("name", ["data.ndjson", "receipt.json", "manifest.json"])
def test_a_received_file_that_is_missing_is_named(played, received, tmp_path, name):
    (received / name).unlink()
    report = verify(save(played.data, tmp_path), files=received)
    assert report.failures[0].where.endswith(name)


def test_there_is_no_bundle_without_an_agreement(played):
    from connector.evidence import bundle

    with pytest.raises(Problem, match="agreement-unknown"):
        played.node.store.read_now(lambda tx: bundle.collect(tx, played.node.log, "urn:uuid:none"))


def test_a_bundle_is_not_made_beside_leaves_without_proof(node, make_deal, play_on):
    from connector.evidence import bundle
    from connector.evidence.leaf import Entry

    deal = play_on(node, make_deal()).deal
    covered = node.store.read_now(lambda tx: bundle.collect(tx, node.log, deal.id))
    node.add(Entry("part", deal.id, {"part": 9}))
    again = node.store.read_now(lambda tx: bundle.collect(tx, node.log, deal.id))
    assert again == covered
    node.add(Entry("transfer", deal.id, {"message": "x"}))
    with pytest.raises(Problem, match="log-behind"):
        node.store.read_now(lambda tx: bundle.collect(tx, node.log, deal.id))


def test_rows_of_a_csv_are_records_and_its_header_stands_in_part_one():
    from connector.evidence.checks.release import _rows

    data = b'a,b\r\n1,"two\nlines"\r\n2,x\r\n'
    assert _rows(data, "data.csv", first=True) == 2
    assert _rows(data, "data.csv", first=False) == 3
    assert _rows(b"", "data.csv", first=False) == 0
