"""The network between the two nodes: every message meets its fate by the seed's choice.

| fate      | what the sender sees    | what the receiver gets             |
|-----------|-------------------------|------------------------------------|
| arrives   | the answer              | the message                        |
| lost      | nobody answers          | nothing                            |
| unheard   | nobody answers          | the message                        |
| late      | nobody answers          | the message, later, out of order   |
| twice     | the second answer       | the message twice                  |
| throttled | 503                     | nothing                            |
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

import orjson

from connector.identity.ports import DEFAULT_LIMIT, DEFAULT_TIMEOUT, Response
from policies.problem import Problem
from tests.support import schemas
from tests.support.fetching import NoDownload

Fate = Literal["arrives", "lost", "unheard", "late", "twice", "throttled"]
Door = Callable[[str, bytes | None, str], Awaitable[Response]]
"""Takes a message's path, body (None: GET) and Authorization; answers like a port."""

CALM: Final[Mapping[Fate, int]] = {"arrives": 1}
ROUGH: Final[Mapping[Fate, int]] = {
    "arrives": 12,
    "lost": 2,
    "unheard": 3,
    "late": 2,
    "twice": 2,
    "throttled": 1,
}


@dataclass(slots=True)
class Network(NoDownload):
    """Implements `Fetch` for both nodes; `doors` by host, `cut` while the nodes are parted.

    `refusals` counts the codes of error objects; `faults` is what schemas found, where they are.
    """

    chance: random.Random
    answers: Mapping[str, Response]
    doors: dict[str, Door] = field(default_factory=dict)
    weather: Mapping[Fate, int] = field(default_factory=lambda: dict(ROUGH))
    cut: bool = False
    late: list[tuple[str, bytes, str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109
    ) -> Response:
        answer = self.answers.get(url)
        if self.cut:
            raise self._silence(url)
        if answer is None:
            return await self._ask(url, (headers or {})["Authorization"])
        return answer

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109
    ) -> Response:
        token = (headers or {})["Authorization"]
        (fate,) = self.chance.choices(list(self.weather), list(self.weather.values()))
        if self.cut:
            fate = "lost"
        self.seen.append(f"  {fate:9} {urlsplit(url).path}")
        if fate == "throttled":
            return Response(503, {"retry-after": "1"}, b"")
        if fate == "late":
            self.late.append((url, body, token))
        if fate in {"lost", "late"}:
            raise self._silence(url)
        answer = await self._deliver(url, body, token)
        if fate == "twice":
            answer = await self._deliver(url, body, token)
        if fate == "unheard":
            raise self._silence(url)
        return answer

    async def _ask(self, url: str, token: str) -> Response:
        """GET of a process: it may be lost like any message."""
        (fate,) = self.chance.choices(list(self.weather), list(self.weather.values()))
        if fate not in {"arrives", "twice"}:
            self.seen.append(f"  no answer {urlsplit(url).path}")
            raise self._silence(url)
        self.seen.append(f"  asks      {urlsplit(url).path}")
        return await self._deliver(url, None, token)

    async def arrive_late(self) -> None:
        """One of the delayed messages arrives after all; nobody hears the answer."""
        url, body, token = self.late.pop(self.chance.randrange(len(self.late)))
        self.seen.append(f"  arrives late {urlsplit(url).path}")
        try:
            await self._deliver(url, body, token)
        except Problem as problem:
            if problem.code != "delivery-unreachable":
                raise

    async def _deliver(self, url: str, body: bytes | None, token: str) -> Response:
        parts = urlsplit(url)
        door = self.doors.get(parts.netloc)
        if door is None:
            raise self._silence(url)
        answer = await door(parts.path, body, token)
        self.seen.append(f"    {answer.status}")
        self._check(body)
        self._check(answer.body)
        return answer

    def _check(self, body: bytes | None) -> None:
        """Note a refusal, and what the official schemas have against a message or an answer."""
        if not body:
            return
        wire = orjson.loads(body)
        if wire["@type"].endswith("Error"):
            self.refusals[wire["code"]] += 1
        if fault := schemas.fault(wire):
            self.faults.append(fault)

    @staticmethod
    def _silence(url: str) -> Problem:
        return Problem("delivery-unreachable", host=urlsplit(url).netloc)
