"""The tables at the end: facts by act with their marks, figures with their budgets.

Made for a terminal of a hundred columns. Facts of detail are counted in the line of their act and
shown only when they are not as stated; a wrong fact is told in full below. `--json` has them all.
"""

import sys
from collections.abc import Iterator

import typer

from connector.cli.output import SESSION, table
from connector.cli.story.facts import Board, Fact, Measure, pick
from policies.problem import Language

_WIDTHS = (44, 16, 34)
_WIDE = 100


def lines(board: Board, lang: Language) -> list[str]:
    """Both tables as text."""
    made = [_line("", *_headings(lang))]
    for number, act in enumerate(dict.fromkeys(fact.act for fact in board.facts), start=1):
        facts = [fact for fact in board.facts if fact.act == act]
        made.append(_head(number, pick(board.acts.get(act, (act, act)), lang), facts))
        made += [_row(fact, lang) for fact in facts if not (fact.detail and fact.ok)]
    made += list(_wrong(board, lang))
    figures = [_figure(measure, lang) for measure in board.measures]
    return [*made, "", *table(_figure_headings(lang), figures)]


def show(board: Board) -> None:
    """Print both tables, with coloured marks where a person watches."""
    if not board.facts:
        return
    said = lines(board, SESSION.lang)
    if sys.stdout.isatty():
        said = [_coloured(line) for line in said]
    SESSION.say(None, "", *said)


def verdict(board: Board, lang: Language) -> str:
    """The last line."""
    wrong = sum(not fact.ok for fact in board.facts)
    total = len(board.facts)
    if lang == "fr":
        return f"{total} faits, tous vérifiés." if not wrong else f"{wrong} faits sur {total} faux."
    return f"{total} facts, all as stated." if not wrong else f"{wrong} of {total} facts are wrong."


def _headings(lang: Language) -> tuple[str, str, str]:
    return ("fait", "attendu", "mesuré") if lang == "fr" else ("fact", "expected", "measured")


def _head(number: int, title: str, facts: list[Fact]) -> str:
    """The line of an act: its title, and how many of its facts hold."""
    held = sum(fact.ok for fact in facts)
    left, right = f"{number}. {title} ", f" {held}/{len(facts)}"
    return left + "─" * (_WIDE - len(left) - len(right)) + right


def _row(fact: Fact, lang: Language) -> str:
    said = (pick(text, lang) for text in (fact.name, fact.expected, fact.measured))
    return _line("✓" if fact.ok else "✗", *said)


def _line(mark: str, *cells: str) -> str:
    fitted = (_fit(cell, width) for cell, width in zip(cells, _WIDTHS, strict=True))
    return f"{mark:1} " + "  ".join(fitted).rstrip()


def _fit(text: str, width: int) -> str:
    """Exactly so wide, cut where it must be."""
    return (text if len(text) <= width else text[: width - 1] + "…").ljust(width)


def _wrong(board: Board, lang: Language) -> Iterator[str]:
    """What is not as stated, in full."""
    _, expected, measured = _headings(lang)
    for fact in board.facts:
        if not fact.ok:
            name, should, was = (
                pick(text, lang) for text in (fact.name, fact.expected, fact.measured)
            )
            yield from ("", f"✗ {name}", f"  {expected}: {should}", f"  {measured}: {was}")


def _coloured(line: str) -> str:
    for mark, colour in (("✓", "green"), ("✗", "red")):
        if line.startswith(mark):
            return typer.style(mark, fg=colour, bold=mark == "✗") + line[1:]
    return typer.style(line, bold=True) if "─" in line else line


def _figure_headings(lang: Language) -> tuple[str, ...]:
    if lang == "fr":
        return "mesure", "budget", "mesuré", "repère"
    return "measure", "budget", "measured", "baseline"


def _figure(measure: Measure, lang: Language) -> tuple[str, ...]:
    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.3g} {measure.unit}"

    figures = (measure.budget, measure.value, measure.baseline)
    return (pick(measure.name, lang), *map(shown, figures))
