"""Discovery as people type it, between two nodes that are processes of their own."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nodes import Two, preau, two

pytestmark = pytest.mark.slow
QUESTIONS = 600

TITLES = """
SELECT ?t WHERE { ?d a dcat:Dataset ; dct:title ?t . FILTER(LANG(?t) = 'fr') } ORDER BY ?t
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """A platform with a public dataset and one for the lab's group."""
    with two(tmp_path_factory.mktemp("discover")) as made:
        made.publish(periodicity="daily", title={"fr": "Traces publiques", "en": "Public traces"})
        made.publish(
            id="secret", group="labs", decisions=["dpo"], title={"fr": "Réservé", "en": "Reserved"}
        )
        yield made


def answer(url: str) -> tuple[int, bytes]:
    """Status and body of what a stranger gets."""
    try:
        with urllib.request.urlopen(url) as found:
            return found.status, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_lab_finds_both_and_the_conditions(both: Two):
    found = both.lab.must("catalog", "search")
    assert {one["identifier"]: one["access"] for one in found["results"]} == {
        "traces": ["automatic"],
        "secret": ["decision", "group"],
    }
    assert found["facets"]["freshness"] == {"fresh": 1, "unscheduled": 1}
    (only,) = both.lab.must("catalog", "search", "reserve", "--access", "group")["results"]
    assert (only["identifier"], only["decisions"]) == ("secret", [["dpo"]])
    allowed = both.lab.must("catalog", "search", "--purpose", "LearningAnalyticsResearch")
    assert allowed["total"] == 2
    assert both.lab.must("catalog", "search", "--purpose", "dpv:Marketing")["total"] == 0


def test_people_read_a_table(both: Two):
    done = preau("catalog", "search", "--node", both.lab.folder, "--lang", "fr", "--offline")
    assert done.code == 0
    assert "Réservé" in done.out
    assert "sur décision, groupe (dpo)" in done.out
    assert "recherche en éducation" in done.out


def test_a_stranger_finds_one_and_learns_of_no_other(both: Two):
    report = preau("catalog", "verify", both.platform.url, "--json").document
    assert len(report["documents"]) == 1
    for hidden, absent in (
        ("/catalog/labs", "/catalog/none"),
        ("/catalogs", "/nowhere"),
        ("/datasets/secret", "/datasets/none"),
        ("/datasets/secret/v1", "/datasets/none/v1"),
    ):
        assert answer(both.platform.url + hidden) == answer(both.platform.url + absent)
        assert answer(both.platform.url + hidden)[0] == 404


def test_the_lab_may_ask_for_what_its_group_sees(both: Two):
    asked = both.ask(f"{both.platform.url}/datasets/secret")
    assert asked["state"]


def test_saved_exported_and_queried(both: Two, tmp_path: Path):
    folder = tmp_path / "saved"
    index = both.lab.must("catalog", "save", folder)
    theirs = [one for one in index["catalogs"] if one["publisher"] == both.platform.did]
    assert sorted((one["group"], one["datasets"]) for one in theirs) == [("labs", 1), ("public", 1)]
    for one in theirs:
        done = preau("catalog", "verify", folder / one["file"], "--did", folder / one["did"])
        assert done.code == 0, done
    rows = preau("catalog", "query", TITLES, "--from", folder, "--json").document["rows"]
    assert rows == both.lab.must("catalog", "query", TITLES)["rows"]
    assert [row["t"]["value"] for row in rows] == ["Réservé", "Traces publiques"]
    done = preau("catalog", "export", "--to", "ttl", "--from", folder)
    assert done.code == 0
    assert "Réservé" in done.out


def test_the_node_asks_by_itself(both: Two):
    both.lab.stop()
    both.lab.configure("discovery", every=10)
    both.lab.start()
    both.publish(id="new", title={"fr": "Nouveau", "en": "Newcomer"})
    for _ in range(QUESTIONS):
        if both.lab.must("catalog", "search", "newcomer", "--offline")["total"]:
            break
        assert both.lab.ended(0.1) is None
    else:
        raise AssertionError("no round came")
    assert '"event": "round"' in both.lab.said()
    both.platform.must("dataset", "withdraw", "new", "--reason", "A trial.")
    both.lab.must("catalog", "search", "--refresh")


def test_a_platform_that_is_down_is_told_and_stays_known(both: Two):
    both.platform.stop()
    found = both.lab.must("catalog", "search", "--refresh")
    assert found["total"] == 2
    (peer,) = found["peers"]
    assert peer["problem"]["code"] == "delivery-unreachable"
    assert peer["verified"]
    both.platform.start()
    (peer,) = both.lab.must("catalog", "search", "--refresh")["peers"]
    assert peer["problem"] is None
