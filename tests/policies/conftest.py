"""A small offer, application and dataset that the tests of this room vary."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policies import templates
from policies.application import Application, read
from policies.model import Policy
from policies.plan import DatasetFacts, Field

DATASET = "https://node.example/datasets/traces"


@pytest.fixture
def now() -> datetime:
    """An instant inside every period used here."""
    return datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def asked() -> dict[str, Any]:
    """The JSON of a complete application."""
    return {
        "v": 1,
        "id": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "type": "Application",
        "requester": "did:web:lab.example",
        "provider": "did:web:node.example",
        "dataset": DATASET,
        "offer": "ni:///sha-256;x",
        "purpose": "https://w3id.org/preau/ns#EducationResearch",
        "project": {"title": "Video and learning", "end": "2027-08-31"},
        "fields": ["actor", "verb.id", "timestamp", "id"],
        "period": {"from": "2021-01-01T00:00:00Z", "to": "2022-01-01T00:00:00Z"},
        "relation": {"type": "separate"},
        "processors": [{"name": "Host", "country": "FR", "hosting": "own"}],
        "issued": "2026-11-30T00:00:00Z",
    }


@pytest.fixture
def application(asked: dict[str, Any]) -> Application:
    """The application."""
    return read(asked)


@pytest.fixture
def offer() -> Policy:
    """A research-under-consent offer without target."""
    return templates.build(
        "research-under-consent",
        {
            "purposes": ["preau:EducationResearch"],
            "until": "2027-08-31T00:00:00Z",
            "retention": "P180D",
        },
    )


@pytest.fixture
def codebook() -> tuple[Field, ...]:
    """Every kind of field."""
    return (
        Field("actor", "/actor", "agent", "direct"),
        Field("id", "/id", "uuid", "indirect"),
        Field("timestamp", "/timestamp", "dateTime", "indirect"),
        Field("verb.id", "/verb/id", "string", "no"),
        Field("result.response", "/result/response", "string", "free-text"),
        Field("disability", "/context/extensions/d", "string", "special"),
        Field("mail", "/context/extensions/m", "string", "direct"),
        Field("odd", "/odd", "string", "something-new"),
    )


@pytest.fixture
def dataset(codebook: tuple[Field, ...]) -> DatasetFacts:
    """A dataset of personal data on consent."""
    return DatasetFacts(DATASET, codebook, personal=True, basis="consent", category="traces")
