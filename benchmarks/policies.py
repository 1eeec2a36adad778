"""Deciding: one policy never seen before, one seen already, and a catalog for a new requester.

The baseline is `orjson.loads` of the same policy: what any evaluator pays before it begins.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Final

import orjson

from benchmarks.harness import Run
from policies import naming, odrl, templates, values
from policies.evaluate import Fact, Request, decide
from policies.many import Question
from policies.model import Policy, iri
from policies.vocabulary import ODRL, PREAU

ROUNDS: Final = 201
DATASETS: Final = 10_000
DISTINCT: Final = 50
NOW: Final = datetime(2026, 12, 1, tzinfo=UTC)
CLAIMS: Final = {
    ODRL + "purpose": Fact((iri(PREAU + "EducationResearch"),), "application", "declared")
}


def main() -> None:
    """Report microseconds for one decision, milliseconds for a catalog."""
    largest = max(_library(), key=lambda each: len(orjson.dumps(odrl.wire(each))))
    spelled = orjson.dumps(odrl.wire(largest))
    run = Run(f"policies: {len(spelled):,} bytes in the largest, {DATASETS:,} datasets")
    request = Request(ODRL + "use", "urn:data", "did:web:lab.example", CLAIMS)

    def decided() -> object:
        return decide(largest, request, {}, NOW, "negotiation")

    yardstick = _times(lambda: orjson.loads(spelled))

    def written() -> object:
        decision = decide(largest, request, {}, NOW, "negotiation")
        return decision.internal(), decision.reasons("fr")

    cold = _times(decided, before=_forget)
    told = _times(written, before=_forget)
    warm = _times(decided)
    question = Question(ODRL + "use", "did:web:lab.example", CLAIMS, {}, NOW, "negotiation")
    question.decide(largest)
    cached = _times(lambda: question.decide(largest))
    for name, found, budget in (
        ("policies: cold decision, largest", cold, "<= 1,000 us"),
        ("policies: the same, written out", told, "reported"),
        ("policies: decision on known rules", warm, "reported"),
        ("policies: cached decision", cached, "<= 20 us"),
    ):
        run.note(
            name,
            median(found) * 1e6,
            "us",
            against=("orjson.loads", median(yardstick) * 1e6),
            runs=ROUNDS,
            budget=budget,
        )
    many = _catalog()
    spans = _times(lambda: _answer(many), before=_forget, rounds=9)
    run.note(
        "policies: 10,000 datasets, 50 policies",
        median(spans) * 1e3,
        "ms",
        runs=9,
        budget="<= 50 ms",
    )
    run.finish()


def _library() -> list[Policy]:
    return [
        templates.build(name, templates.vectors(name)[0]["params"]) for name in templates.names()
    ]


def _catalog() -> list[Policy]:
    """Datasets in random-like order, each with its own target and one of the distinct policies."""
    library = _library()
    distinct = []
    for number in range(DISTINCT):
        base = library[number % len(library)]
        spelled = odrl.wire(base)
        limit = {"leftOperand": "odrl:count", "operator": "lteq", "rightOperand": number + 1}
        for rule in spelled["permission"]:  # type: ignore[attr-defined]
            rule.setdefault("constraint", []).append(limit)
        distinct.append(odrl.read(spelled))
    return [
        replace(distinct[number * 7 % DISTINCT], id=f"urn:o:{number}", target=f"urn:d:{number}")
        for number in range(DATASETS)
    ]


def _answer(found: list[Policy]) -> int:
    question = Question(ODRL + "use", "did:web:lab.example", CLAIMS, {}, NOW, "negotiation")
    return sum(decision.permitted for decision in question.decide_all(found))


def _forget() -> None:
    """As if no rule and no value had been seen."""
    naming.forget()
    values.parse.cache_clear()
    values.span.cache_clear()


def _times(
    act: Callable[[], object], before: Callable[[], None] = lambda: None, rounds: int = ROUNDS
) -> list[float]:
    spans = []
    for _ in range(rounds):
        before()
        started = perf_counter()
        act()
        spans.append(perf_counter() - started)
    return spans


if __name__ == "__main__":
    main()
