import csv
from datetime import UTC, datetime
from hashlib import sha256

from connector.cli.story import consents
from connector.cli.story.consents import Account, Scope
from connector.subjects import importing

SCOPE = Scope(
    "did:web:localhost%3A1",
    "https://w3id.org/preau/ns#EducationResearch",
    "https://w3id.org/preau/ns#LearningTraces",
    "https://campus.example/notice",
)
ACCOUNTS = [Account("https://home.example", f"learner-{n}") for n in range(500)]


def test_the_rule_is_the_announced_one():
    for account in ACCOUNTS:
        digest = sha256(b"preau:" + account.name.encode()).hexdigest()
        assert consents.consents(account.name) == (int(digest[:8], 16) % 100 < 70)


def test_the_file_holds_exactly_those_who_consent(tmp_path):
    path = tmp_path / "consents.csv"
    count = consents.write(path, ACCOUNTS + ACCOUNTS[:3], SCOPE)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == importing.COLUMNS
    assert {row["id_value"] for row in rows} == {
        account.name for account in ACCOUNTS if consents.consents(account.name)
    }
    assert len(rows) == count
    assert 300 < count < 400


def test_the_node_can_read_the_file(tmp_path):
    path = tmp_path / "consents.csv"
    count = consents.write(path, ACCOUNTS, SCOPE)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    rows = importing.read(path.read_bytes(), now=now)
    assert len(rows) == count
    assert {row.status for row in rows} == {"given"}


def test_a_withdrawal_is_written_in_the_same_columns(tmp_path):
    path = tmp_path / "withdrawals.csv"
    consents.write_withdrawal(path, ACCOUNTS[0], SCOPE, "2026-11-23T08:00:00Z")
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["status"], row["id_value"]) == ("withdrawn", "learner-0")
