"""Leaving an id out: allowed when only one can be meant."""

from typing import Any, cast

import pytest

from connector.cli import choosing
from connector.cli.client import Client
from policies.problem import Problem


class Listed:
    """A client whose lists are these."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def get(self, path: str, **query: Any) -> list[dict[str, str]]:
        self.asked.append((path, query))
        return [{"id": name, "pid": name} for name in self.names]


def listed(*names: str) -> Any:
    return cast("Client", Listed(*names))


def test_what_is_named_is_taken_without_a_question():
    client = listed("a", "b")
    assert choosing.agreement(client, "c") == "c"
    assert choosing.negotiation(client, "c") == "c"
    assert choosing.awaiting(client, "c", "dpo", 5) == "c"
    assert client.asked == []


def test_the_only_one_is_meant():
    client = listed("a")
    assert choosing.agreement(client, None) == "a"
    assert choosing.negotiation(client, None) == "a"
    assert choosing.awaiting(client, None, "dpo", 5) == "a"
    assert client.asked[-1] == ("/v1/negotiations", {"awaiting": "dpo", "wait": 5})


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        ((), "cli-choose-none", "none"),
        (("a", "b"), "cli-choose-several", "2: a, b"),
        (tuple("abcdefg"), "cli-choose-several", "7: a, b, c, d, e …"),
    ],
)
def test_nobody_guesses(names: tuple[str, ...], code: str, said: str):
    with pytest.raises(Problem) as caught:
        choosing.agreement(listed(*names), None)
    assert caught.value.code == code
    assert said in caught.value.text("en")
