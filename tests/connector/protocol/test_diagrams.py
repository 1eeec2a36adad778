"""The page of state diagrams is the tables'."""

from connector.protocol.diagrams import page
from tests.support.source import ROOT


def test_the_page_is_drawn_from_the_tables():
    assert (ROOT / "docs" / "states.md").read_text(encoding="utf-8") == page()


def test_the_picture_shows_ways_in_on_and_out():
    drawn = page()
    for line in (
        "[*] --> REQUESTED: request (C)",
        "[*] --> OFFERED: offer (P)",
        "OFFERED --> TERMINATED: terminate (C/P)",
        "VERIFIED --> FINALIZED: finalize (P)",
        "STARTED --> SUSPENDED: suspend (C/P)",
        "COMPLETED --> [*]",
    ):
        assert f"    {line}\n" in drawn
    assert "NEW" not in drawn
