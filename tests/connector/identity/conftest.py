"""Two participants, with keys made from a seed, and an internet that is a table."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connector.identity.did import DidDocument, document
from connector.identity.keys import KeyRing, create
from connector.identity.ports import Response
from policies.problem import Problem
from tests.support.fetching import NoDownload
from tests.support.ids import SeededIds


@dataclass(frozen=True)
class Party:
    did: str
    keys: KeyRing
    source: dict[str, object]

    @property
    def kid(self) -> str:
        return f"{self.did}#token-1"

    @property
    def document(self) -> DidDocument:
        return DidDocument.of(self.source, self.did)


@dataclass
class Net(NoDownload):
    """Implements Fetch: answers from a table, and remembers what was asked."""

    answers: dict[str, Response | Problem] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
        timeout: float = 0,  # noqa: ASYNC109
    ) -> Response:
        self.asked.append(url)
        self.headers.append(headers or {})
        answer = self.answers.get(url, Response(404))
        if isinstance(answer, Problem):
            raise answer
        return answer

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
        timeout: float = 0,  # noqa: ASYNC109
    ) -> Response:
        raise AssertionError("identity posts nothing")

    def serve(self, url: str, source: object) -> None:
        self.answers[url] = Response(200, {}, json.dumps(source).encode())


MakeParty = Callable[[str], Party]


@pytest.fixture
def make_party(tmp_path: Path) -> MakeParty:
    def make(did: str) -> Party:
        folder = tmp_path / did.replace(":", "_")
        create(folder, SeededIds(did).token)
        keys = KeyRing.load(folder)
        root = "https://" + did.removeprefix("did:web:").replace("%3A", ":")
        source = document(did, keys, root=root, dsp_base=root + "/dsp/2025-1")
        return Party(did, keys, source)

    return make


@pytest.fixture
def alice(make_party: MakeParty) -> Party:
    return make_party("did:web:alice.example")


@pytest.fixture
def bob(make_party: MakeParty) -> Party:
    return make_party("did:web:bob.example")


@pytest.fixture
def net() -> Net:
    return Net()
