import gzip
import json
from hashlib import sha256

from connector.cli.story import generate
from connector.cli.story.stream import Stream


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    one, two = tmp_path / "one.gz", tmp_path / "two.gz"
    assert generate.write(one, learners=9) == generate.write(two, learners=9)
    assert one.read_bytes() == two.read_bytes()


def test_another_seed_gives_other_learners():
    one = {row["actor"]["account"]["name"] for row in generate.statements("a", 9)}
    two = {row["actor"]["account"]["name"] for row in generate.statements("b", 9)}
    assert one != two


def test_rows_are_shaped_like_real_traces(tmp_path):
    path = tmp_path / "traces.jsonl.gz"
    count = generate.write(path)
    with gzip.open(path) as file:
        rows = [json.loads(line) for line in file]
    assert len(rows) == count
    assert 2_000 < count < 4_000
    assert len({row["id"] for row in rows}) == count
    assert len({row["actor"]["account"]["name"] for row in rows}) == generate.LEARNERS
    assert len({row["verb"]["id"] for row in rows}) >= 7
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)


def test_no_address_of_content_starts_like_the_accounts_home():
    for row in generate.statements(learners=5):
        text = json.dumps({key: value for key, value in row.items() if key != "actor"})
        assert generate.ACCOUNTS not in text


def test_a_stream_never_changes():
    draw = Stream("seed")
    assert draw.bytes() == sha256(b"seed:1").digest()
    assert [draw.below(10) for _ in range(5)] == [drawn(n) for n in range(2, 7)]
    assert draw.uuid()[14] == "4"


def drawn(count: int) -> int:
    return int.from_bytes(sha256(b"seed:%d" % count).digest()[:8]) % 10
