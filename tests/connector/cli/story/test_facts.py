import os

from connector.cli.story import report
from connector.cli.story.facts import Board, Fact, cpu_seconds, median, resident_mb
from policies.problem import Problem


def test_a_board_without_facts_is_not_green():
    assert not Board().ok


def test_facts_hold_when_measured_is_expected():
    board = Board(act="x")
    assert board.note(("a", "a"), 3, 3)
    assert board.ok
    assert not board.note(("b", "b"), True, False)
    assert not board.ok
    assert board.facts[1].measured == ("non", "no")


def test_a_refusal_is_a_fact():
    board = Board()
    with board.refused(("a", "a"), "time-"):
        raise Problem("time-invalid", value="x")
    with board.refused(("b", "b"), "time-"):
        pass
    with board.refused(("c", "c"), "time-"):
        raise Problem("settings-missing", path="x")
    assert [fact.ok for fact in board.facts] == [True, False, False]


def test_the_tables_speak_both_languages():
    board = Board()
    same = ("a", "a")
    board.note(("fait un", "fact one"), 1, 2)
    board.measure("m", ("mesure", "figure"), 12.345, "ms", 15)
    board.measure("n", ("autre", "other"), None, "MB")
    french, english = ("\n".join(report.lines(board, lang)) for lang in ("fr", "en"))
    assert "✗ fait un " in french
    assert "✗ fact one " in english
    assert "  expected: 1\n  measured: 2" in english
    assert "12.3 ms" in english
    assert report.verdict(board, "fr") == "1 faits sur 1 faux."
    assert report.verdict(Board([Fact("", same, same, same, ok=True)]), "en").endswith("as stated.")


def test_details_are_counted_and_shown_only_when_they_are_wrong():
    board = Board(act="x", acts={"x": ("Acte", "Act")})
    board.note(("a" * 80, "a" * 80), 1, 1)
    board.note(("détail", "detail"), 1, 1, detail=True)
    board.note(("autre", "other"), 1, 2, detail=True)
    said = report.lines(board, "en")
    assert said[1].startswith("1. Act ─")
    assert said[1].endswith("─ 2/3")
    assert [line for line in said if "detail" in line] == []
    assert [line[:7] for line in said if "other" in line] == ["✗ other", "✗ other"]
    assert max(map(len, said)) <= 100


def test_a_fact_is_a_document_for_machines():
    board = Board(act="audit")
    board.note(("fait", "fact"), 1, 1)
    assert board.facts[0].document() == {
        "act": "audit",
        "ok": True,
        "name": {"fr": "fait", "en": "fact"},
        "expected": {"fr": "1", "en": "1"},
        "measured": {"fr": "1", "en": "1"},
    }


def test_figures_of_a_process():
    memory, cpu = resident_mb(os.getpid()), cpu_seconds(os.getpid(), 100)
    assert memory is None or memory > 1
    assert cpu is None or cpu > 0
    assert resident_mb(0) is None
    assert cpu_seconds(0, 100) is None


def test_the_middle_of_several():
    assert median([3, 1, 2]) == 2
