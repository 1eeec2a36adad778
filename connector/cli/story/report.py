"""The tables at the end: facts with their marks, figures with their budgets."""

import sys

from connector.cli.output import SESSION, table
from connector.cli.story.facts import Board, Fact, Measure, pick
from policies.problem import Language

_WIDE = 62


def lines(board: Board, lang: Language) -> list[str]:
    """Both tables as text; a terminal that can gets them with colours from `show`."""
    head = _headings(lang)
    rows = [_row(fact, lang, _WIDE) for fact in board.facts]
    figures = [_figure(measure, lang) for measure in board.measures]
    return [*table(head, rows), "", *table(_figure_headings(lang), figures)]


def show(board: Board) -> None:
    """Print both tables, with colours and line breaks where a person watches."""
    if not board.facts:
        return
    if not sys.stdout.isatty():
        SESSION.say(None, "", *lines(board, SESSION.lang))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console, lang = Console(), SESSION.lang
    facts = Table(*_headings(lang))
    for fact in board.facts:
        mark, *cells = map(escape, _row(fact, lang, 400))
        facts.add_row(f"[{'green' if fact.ok else 'bold red'}]{mark}[/]", *cells)
    figures = Table(*_figure_headings(lang))
    for measure in board.measures:
        figures.add_row(*map(escape, _figure(measure, lang)))
    console.print(facts)
    console.print(figures)


def verdict(board: Board, lang: Language) -> str:
    """The last line."""
    wrong = sum(not fact.ok for fact in board.facts)
    total = len(board.facts)
    if lang == "fr":
        return f"{total} faits, tous vérifiés." if not wrong else f"{wrong} faits sur {total} faux."
    return f"{total} facts, all as stated." if not wrong else f"{wrong} of {total} facts are wrong."


def _headings(lang: Language) -> tuple[str, ...]:
    return (
        ("", "fait", "attendu", "mesuré") if lang == "fr" else ("", "fact", "expected", "measured")
    )


def _row(fact: Fact, lang: Language, width: int) -> tuple[str, ...]:
    mark = "✓" if fact.ok else "✗"
    said = (pick(text, lang) for text in (fact.name, fact.expected, fact.measured))
    return (mark, *(text if len(text) <= width else text[: width - 1] + "…" for text in said))


def _figure_headings(lang: Language) -> tuple[str, ...]:
    if lang == "fr":
        return "mesure", "budget", "mesuré", "repère"
    return "measure", "budget", "measured", "baseline"


def _figure(measure: Measure, lang: Language) -> tuple[str, ...]:
    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.3g} {measure.unit}"

    figures = (measure.budget, measure.value, measure.baseline)
    return (pick(measure.name, lang), *map(shown, figures))
