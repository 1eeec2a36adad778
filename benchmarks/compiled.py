"""Compiled agreements: compiling one, its decision before a part, its predicate on a row.

The baseline is the same question put to the evaluator, which judges every clause anew.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.harness import Run
from connector.dataplane.runnable import asked
from connector.services.negotiate.judgements import Judgements
from policies import odrl, plan, templates
from policies.decision import Decision
from policies.evaluate import Request, decide
from policies.model import Policy, iri
from policies.plan import DatasetFacts, Field, residue
from policies.vocabulary import ODRL, PREAU
from policies.world import Fact

ROUNDS: Final = 2001
ROWS: Final = 200_000
NOW: Final = datetime(2026, 12, 1, tzinfo=UTC)
LAB: Final = "did:web:lab.example"
PURPOSE: Final = {
    ODRL + "purpose": Fact((iri(PREAU + "EducationResearch"),), "application", "declared")
}


def main() -> None:
    """Report microseconds for a decision, nanoseconds for a row."""
    agreed, dataset = _agreement()
    request = Request(ODRL + "use", dataset.id, LAB, PURPOSE)
    made = decide(agreed, request, {}, NOW, "negotiation")
    compiled = plan.compile(agreed, None, dataset, "urn:a", LAB, made)
    known = plan.facts(compiled)
    judgements = Judgements()
    clock = [NOW + timedelta(days=1)]

    def anew() -> tuple[Policy, Decision]:
        return agreed, decide(agreed, request, known, clock[0], "batch")

    def remembered() -> object:
        clock[0] += timedelta(microseconds=1)  # every part is released at another instant
        return judgements.find(("a", LAB), clock[0], anew)

    run = Run("compiled agreements")
    each = _times(anew)
    for name, found, budget in (
        ("compiled: a part's decision, remembered", _times(remembered), "<= 20 us"),
        (
            "compiled: compiling an agreement",
            _times(lambda: plan.compile(agreed, None, dataset, "urn:a", LAB, made), 201),
            "reported",
        ),
    ):
        run.note(
            name,
            median(found) * 1e6,
            "us",
            against=("decided anew", median(each) * 1e6),
            runs=len(found),
            budget=budget,
        )
    run.note("compiled: the predicate of a row", _row() * 1e9, "ns", runs=ROWS, budget="reported")
    run.finish()


def _agreement() -> tuple[Policy, DatasetFacts]:
    params = {
        "purposes": ["preau:EducationResearch"],
        "until": "2027-08-31T00:00:00Z",
        "retention": "P180D",
    }
    offer = templates.build("research-under-consent", params)
    codebook = tuple(Field(f"f{n}", f"/f{n}", "string", "no") for n in range(40))
    dataset = DatasetFacts("urn:d", codebook, personal=True, basis="consent", category="traces")
    agreed = replace(offer, kind="Agreement", target=dataset.id, timestamp="2026-12-01T00:00:00Z")
    return agreed, dataset


def _row() -> float:
    """Seconds for one row of a predicate with three tests."""
    years = [
        {"leftOperand": "preau:recordTime", "operator": op, "rightOperand": f"{y}-01-01T00:00:00Z"}
        for op, y in (("lt", 2020), ("gteq", 2022), ("lt", 2024))
    ]
    read = odrl.read(
        {"@id": "urn:p", "@type": "Set", "permission": {"action": "use", "constraint": years}}
    )
    one, two, three = map(residue.test, read.permissions[0].constraints)  # type: ignore[arg-type]
    where = residue.group("any", [one, residue.group("all", [two, three])])
    says = asked(where, range(ROWS), bytes(ROWS))
    if says is None:
        raise AssertionError
    started = perf_counter()
    for row in range(ROWS):
        says(row)
    return (perf_counter() - started) / ROWS


def _times(act: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    spans = []
    for _ in range(rounds):
        started = perf_counter()
        act()
        spans.append(perf_counter() - started)
    return spans


if __name__ == "__main__":
    main()
