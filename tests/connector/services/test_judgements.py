"""Remembered decisions: made again exactly when something they depend on may have changed."""

from datetime import UTC, datetime, timedelta

from connector.services.negotiate.judgements import Judgements
from policies import odrl
from policies.decision import Decision
from policies.evaluate import Request, decide
from policies.model import Policy
from policies.vocabulary import ODRL

END = datetime(2027, 1, 1, tzinfo=UTC)
POLICY = odrl.read(
    {
        "@id": "urn:p",
        "@type": "Offer",
        "permission": {
            "action": "use",
            "constraint": {
                "leftOperand": "odrl:dateTime",
                "operator": "lt",
                "rightOperand": "2027-01-01T00:00:00Z",
            },
        },
    }
)


class Judge:
    def __init__(self) -> None:
        self.now, self.made = END - timedelta(days=2), 0
        self.judgements = Judgements()

    def ask(self, key: str = "a", *, later: float = 0) -> bool:
        self.now += timedelta(seconds=later)

        def make() -> tuple[Policy, Decision]:
            self.made += 1
            request = Request(ODRL + "use", None, None, {})
            return POLICY, decide(POLICY, request, {}, self.now, "batch")

        return self.judgements.find((key,), self.now, make).permitted


def test_a_decision_is_kept_until_the_next_instant_that_matters():
    judge = Judge()
    assert judge.ask()
    assert judge.ask(later=86_400)
    assert judge.made == 1
    assert not judge.ask(later=86_400)
    assert judge.made == 2
    assert not judge.ask(later=1)
    assert not judge.ask(later=10 * 86_400)
    assert judge.made == 3  # the microsecond after the date is an instant that it names, too


def test_other_facts_and_an_earlier_clock_are_judged_anew():
    judge = Judge()
    assert judge.ask("a")
    assert judge.ask("b")
    assert judge.made == 2
    assert judge.ask("a", later=-1)
    assert judge.made == 3


def test_only_so_many_are_kept():
    judge = Judge()
    for number in range(1100):
        judge.ask(str(number))
    judge.ask("1099")
    assert judge.made == 1100
    judge.ask("0")
    assert judge.made == 1101
