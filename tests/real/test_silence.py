"""Nothing waits in silence: what people type, between two nodes that are processes of their own."""

from collections.abc import Iterator

import pytest

from tests.support.nodes import Two, preau, two

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with two(tmp_path_factory.mktemp("silence")) as made:
        made.publish(decisions=["dpo"])
        yield made


def test_a_peer_looks_back(both: Two):
    (platform,) = [one["did"] for one in both.lab.must("peer", "list")]
    asked = ("doctor", "--from", platform, "--node", both.lab.folder, "--lang", "fr")
    done = preau(*asked)
    assert (done.code, done.err) == (0, "")
    assert "✓ seen-did" in done.out
    assert "✓ seen-dsp" in done.out
    again = preau(*asked)
    assert again.code == 1
    assert "lookback-unable" in again.err


def test_a_request_tells_what_it_waits_for_also_when_the_peer_is_away(both: Two):
    made = both.ask()
    assert made["warnings"] == []
    pid = both.platform.awaiting("dpo")
    shown = preau("negotiation", "show", made["pid"], "--node", both.lab.folder, "--lang", "en")
    assert "Waiting for: the answer of did:web:localhost" in shown.out
    theirs = preau("negotiation", "show", pid, "--node", both.platform.folder, "--lang", "fr")
    assert "Attend : une décision de « dpo »" in theirs.out
    both.platform.kill()
    both.lab.must("negotiation", "terminate", made["pid"], "--reason", "No longer needed.")
    found = both.lab.negotiation(made["pid"])
    assert found["state"] == "TERMINATED"
    assert found["waiting"]["kind"] in {"delivery", "attempt", "circuit"}
    assert found["waiting"]["until"] is not None
    both.platform.start()
