"""What the absent still tell a holder of the class list (T4): rounded, and never more than that."""

import re

import pytest

from connector.dataplane.absence import learned
from tests.support.source import ROOT


def test_counts_are_rounded_like_those_already_published():
    told = learned(1_452, "1010", "consent")
    assert (told["listed"], told["arrived"], told["absent"]) == ("1450", "1010", "440")
    assert "1452" not in " ".join(told["fr"] + told["en"])


@pytest.mark.parametrize("objectors", range(10))
def test_three_objectors_are_not_counted_out(objectors: int):
    told = learned(33, 33 - objectors, "objection")
    assert told["absent"] in ("<10", "10")
    assert told["absent"] == learned("30", told["arrived"], "objection")["absent"]


@pytest.mark.parametrize(("listed", "arrived"), [(5, 3), (9, 0), (12, 12)])
def test_few_are_fewer_than_ten(listed: int, arrived: int):
    assert learned(listed, arrived, "consent")["absent"] in ("<10", "10")


@pytest.mark.parametrize("mode", ["consent", "objection"])
def test_both_languages_say_the_same_counts(mode: str):
    told = learned(200, 150, mode)  # type: ignore[arg-type]
    numbers = [re.findall(r"<?\d+", " ".join(told[lang])) for lang in ("fr", "en")]
    assert numbers[0] == numbers[1] == ["200", "150", "50"]
    assert len(told["fr"]) == len(told["en"]) == 3


def test_why_somebody_is_absent_follows_the_basis():
    assert "withdrew" in learned(200, 150, "consent")["en"][1]
    assert "withdrew" not in learned(200, 150, "objection")["en"][1]


def test_nothing_is_called_anonymous():
    for mode in ("consent", "objection"):
        told = learned(200, 150, mode)
        assert not re.search(r"anonym|unlinkable", " ".join(told["fr"] + told["en"]), re.IGNORECASE)


def test_the_page_on_limits_quotes_what_is_printed():
    page = (ROOT / "docs" / "security" / "limits.md").read_text("utf-8")
    plain = " ".join(page.replace("\n> ", "\n").split())
    told = learned(1_452, "1010", "consent")
    assert [line for line in told["fr"] + told["en"] if line not in plain] == []
