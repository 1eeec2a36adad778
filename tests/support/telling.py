"""What every refusal owes to the person who reads it."""

from collections.abc import Mapping, Sequence
from typing import Any


def assert_tells(document: Mapping[str, Any]) -> None:
    """A problem document says what is wrong and what to do, in French and in English."""
    assert document["code"]
    texts = [document["fr"], document["en"], document["do"]["fr"], document["do"]["en"]]
    assert all(texts), texts
    assert len(set(texts)) == len(texts), texts
    assert not any("{" in text for text in texts), "a placeholder was left empty"


def assert_tells_peer(reasons: Sequence[str]) -> None:
    """The reasons of a DSP error: one in English, one in French."""
    assert len(set(reasons)) == len(reasons) == 2, reasons
    assert all(reasons), reasons
