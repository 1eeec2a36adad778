"""SPARQL over copies: honest queries are answered, hostile ones never leave the room."""

import ast
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from catalog import dcat, model, nquads, query, sandbox
from catalog.export import graph
from catalog.query import Limits, run
from policies.problem import Problem

TITLES = "SELECT ?d ?t WHERE { ?d a dcat:Dataset ; dct:title ?t . FILTER(LANG(?t) = 'fr') }"
ALL = "?s ?p ?o"
SERVICE = "SERVICE <http://localhost:PORT/sparql> { ?s ?p ?o }"

HOSTILE = {
    "service": (f"SELECT * WHERE {{ {SERVICE} }}", "service"),
    "silent": (f"SELECT * WHERE {{ {SERVICE.replace('SERVICE', 'SERVICE SILENT')} }}", "service"),
    "small letters": (f"select * where {{ {SERVICE.replace('SERVICE', 'service')} }}", "service"),
    "variable": ("SELECT * WHERE { ?s ?p ?o SERVICE ?o { ?a ?b ?c } }", "service"),
    "optional": (f"SELECT * WHERE {{ {ALL} OPTIONAL {{ {SERVICE} }} }}", "service"),
    "minus": (f"SELECT * WHERE {{ {ALL} MINUS {{ {SERVICE} }} }}", "service"),
    "union": (f"SELECT * WHERE {{ {{ {ALL} }} UNION {{ {SERVICE} }} }}", "service"),
    "exists": (f"SELECT * WHERE {{ {ALL} FILTER EXISTS {{ {SERVICE} }} }}", "service"),
    "not exists": (f"ASK {{ {ALL} FILTER NOT EXISTS {{ {SERVICE} }} }}", "service"),
    "bind": (f"SELECT * WHERE {{ BIND(EXISTS {{ {SERVICE} }} AS ?x) }}", "service"),
    "projected": (f"SELECT (EXISTS {{ {SERVICE} }} AS ?x) WHERE {{ {ALL} }}", "service"),
    "having": (
        f"SELECT ?s WHERE {{ {ALL} }} GROUP BY ?s HAVING (EXISTS {{ {SERVICE} }})",
        "service",
    ),
    "order": (f"SELECT ?s WHERE {{ {ALL} }} ORDER BY (EXISTS {{ {SERVICE} }})", "service"),
    "sub-select": (f"SELECT * WHERE {{ {{ SELECT * WHERE {{ {SERVICE} }} }} }}", "service"),
    "graph": (f"SELECT * WHERE {{ GRAPH ?g {{ {SERVICE} }} }}", "service"),
    "construct": (f"CONSTRUCT {{ {ALL} }} WHERE {{ {SERVICE} }}", "service"),
    "escaped": (
        "SELECT * WHERE { \\u0053ERVICE <http://localhost:PORT/> { ?s ?p ?o } }",
        "service",
    ),
    "from": (f"SELECT * FROM <http://localhost:PORT/a.ttl> WHERE {{ {ALL} }}", "from"),
    "from named": (f"SELECT * FROM NAMED <http://localhost:PORT/> WHERE {{ {ALL} }}", "from"),
    "file": (f"SELECT * FROM <file:///etc/passwd> WHERE {{ {ALL} }}", "from"),
    "ask from": (f"ASK FROM <http://localhost:PORT/> {{ {ALL} }}", "from"),
    "construct from": (f"CONSTRUCT FROM <file:///etc/passwd> WHERE {{ {ALL} }}", "from"),
    "function": (f"SELECT (<http://localhost:PORT/f>(1) AS ?x) WHERE {{ {ALL} }}", "function"),
    "cast": (f"SELECT * WHERE {{ {ALL} FILTER(xsd:integer(?o) > 1) }}", "function"),
    "filter function": (f"ASK {{ {ALL} FILTER <urn:f>(?s) }}", "function"),
    "describe": ("DESCRIBE <http://localhost:PORT/>", "form"),
    "load": ("LOAD <http://localhost:PORT/a.ttl>", "syntax"),
    "insert": ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", "syntax"),
    "two": (f"ASK {{ {ALL} }} ; LOAD <http://localhost:PORT/>", "syntax"),
    "nothing": ("", "syntax"),
    "escape too high": ("SELECT * WHERE { ?s ?p '\\UFFFFFFFF' }", "syntax"),
}


@pytest.fixture(scope="module")
def documents(make: Callable[..., model.Dataset]) -> list[dict[str, object]]:
    """Three datasets."""
    return [
        dcat.document(make(iri=f"https://lycee.example/datasets/{n}", title=model.Words(*(n,) * 2)))
        for n in ("un", "deux", "trois")
    ]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine, and who called it."""
    called: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            try:
                while True:
                    connection, address = server.accept()
                    called.append(address)
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], called
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def refusal(text: str, documents: list[dict[str, object]], **limits: object) -> Problem:
    with pytest.raises(Problem) as caught:
        run(text, documents, Limits(**limits))  # type: ignore[arg-type]
    return told(caught.value)


def told(problem: Problem) -> Problem:
    """A problem whose texts lack nothing."""
    for lang in ("fr", "en"):
        assert "{" not in problem.text(lang) + problem.remedy(lang)
    return problem


# ----------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_query_is_refused_by_its_parse_tree(name: str):
    text, code = HOSTILE[name]
    with pytest.raises(Problem) as caught:
        query.check(text.replace("PORT", "9"))
    assert caught.value.code == f"catalog-query-{code}"


def test_a_refused_query_called_nobody(
    documents: list[dict[str, object]], listener: tuple[int, list[object]]
):
    port, called = listener
    text = f"SELECT * FROM <http://localhost:PORT/a.ttl> WHERE {{ {SERVICE} }}"
    problem = refusal(text.replace("PORT", str(port)), documents)
    assert problem.code in {"catalog-query-from", "catalog-query-service"}
    assert called == []


def test_nesting_without_end_is_no_query():
    deep = "SELECT * WHERE " + "{" * 3000 + "?s ?p ?o" + "}" * 3000
    with pytest.raises(Problem) as caught:
        query.check(deep)
    assert caught.value.code == "catalog-query-syntax"


def test_a_query_as_long_as_a_book_is_refused(documents: list[dict[str, object]]):
    assert refusal("ASK {} #" + "x" * 20_000, documents).code == "catalog-query-long"


def test_more_than_five_thousand_datasets_are_refused():
    assert refusal(TITLES, [{}] * 5001).code == "catalog-query-many"


def test_a_product_of_everything_is_ended_by_its_time(documents: list[dict[str, object]]):
    product = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    assert refusal(product, documents, seconds=1).code == "catalog-query-limit"


def test_a_catastrophic_pattern_is_ended_by_its_time(documents: list[dict[str, object]]):
    text = "ASK { ?s ?p ?o FILTER REGEX('" + "a" * 60 + "!', '^(a+)+$') }"
    assert refusal(text, documents, seconds=1).code == "catalog-query-limit"


def test_what_needs_too_much_memory_is_ended(documents: list[dict[str, object]]):
    twice = "".join(f"BIND(CONCAT(?a{n}, ?a{n}) AS ?a{n + 1}) " for n in range(24))
    text = f"SELECT ?a24 WHERE {{ ?s a ?t . BIND(STR(?s) AS ?a0) {twice} }}"
    assert refusal(text, documents, memory=200 * 2**20).code == "catalog-query-limit"


def test_a_child_that_takes_too_long_is_ended(documents: list[dict[str, object]]):
    assert refusal(TITLES, documents, wall=0.05).code == "catalog-query-limit"


def test_after_the_doors_are_closed_nothing_opens(listener: tuple[int, list[object]]):
    port, called = listener
    attempts = [
        "open('/etc/passwd')",
        "open('/tmp/x', 'w')",
        "__import__('os').open('/etc/passwd', 0)",
        f"socket.create_connection(('127.0.0.1', {port}))",
        "socket.socket()",
        "__import__('os').system('true')",
        "__import__('os').fork()",
        "__import__('subprocess').run(['true'])",
    ]
    code = f"""
import os, socket, subprocess
from catalog import sandbox
sandbox._warm()
sandbox._close(5)
for attempt in {attempts!r}:
    try:
        eval(attempt)
    except OSError:
        continue
    raise SystemExit(attempt)
"""
    root = Path(sandbox.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert called == []


def test_the_kernel_alone_refuses_sockets_and_files(listener: tuple[int, list[object]]):
    code = """
import ctypes, os, socket
from catalog import sandbox
libc = ctypes.CDLL(None, use_errno=True)
sandbox.sys.addaudithook = lambda hook: None
sandbox._close(5)
assert libc.socket(2, 1, 0) == -1
assert libc.open(b"/etc/passwd", 0) == -1
"""
    root = Path(sandbox.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# ------------------------------------------------------------------------------------ honest


def evaluated(
    text: str, documents: list[dict[str, object]], limits: Limits | None = None
) -> dict[str, Any]:
    """What the child answers, without the child: starting one takes a second."""
    query.check(text)
    order = {"query": text, **asdict(limits or Limits())}
    return sandbox._evaluate(graph(nquads.of(documents)), order)


def test_titles_are_selected(documents: list[dict[str, object]]):
    found = run(TITLES + " ORDER BY ?t", documents)
    assert (found["form"], found["vars"], found["truncated"]) == ("select", ["d", "t"], False)
    assert [row["t"] for row in found["rows"]] == [
        {"type": "literal", "value": title, "xml:lang": "fr"} for title in ("deux", "trois", "un")
    ]
    assert found["rows"][2]["d"] == {"type": "uri", "value": "https://lycee.example/datasets/un"}


def test_dates_come_back_as_they_were_signed(documents: list[dict[str, object]]):
    found = evaluated("SELECT DISTINCT ?m WHERE { ?d dct:modified ?m }", documents)
    (row,) = found["rows"]
    assert row["m"]["value"] == "2026-11-23T08:00:00Z"
    assert row["m"]["datatype"] == "http://www.w3.org/2001/XMLSchema#dateTime"


def test_questions_and_constructions_are_answered(documents: list[dict[str, object]]):
    asked = evaluated("ASK { ?d a dcat:Dataset }", documents)
    assert asked == {"v": 1, "form": "ask", "answer": True}
    assert evaluated("ASK { ?d a dcat:Nothing }", documents)["answer"] is False
    made = evaluated("CONSTRUCT { ?d a <urn:x> } WHERE { ?d a dcat:Dataset }", documents)
    assert made["triples"].count("<urn:x> .\n") == 3


def test_long_answers_are_cut_and_say_so(documents: list[dict[str, object]]):
    for limits in (Limits(rows=2), Limits(size=300)):
        found = evaluated("SELECT * WHERE { ?s ?p ?o }", documents, limits)
        assert found["truncated"] is True
        assert 1 <= len(found["rows"]) <= 2


def test_what_cannot_be_evaluated_is_told(documents: list[dict[str, object]]):
    text = "SELECT ?s WHERE { ?s ?p ?o } ORDER BY (EXISTS { ?s ?p ?o })"
    with pytest.raises(Problem) as caught:
        evaluated(text, documents)
    assert told(caught.value).code == "catalog-query-failed"


def test_the_same_question_gets_the_same_answer(documents: list[dict[str, object]]):
    text = "SELECT * WHERE { ?s ?p ?o }"
    assert run(text, documents) == run(text, documents[::-1])


def test_asking_does_not_bring_the_rdf_library_into_this_process():
    code = "import sys; from catalog import query; assert 'rdflib' not in sys.modules"
    root = Path(query.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


def test_every_refusal_is_in_the_table():
    tree = ast.parse(Path(query.__file__).read_text("utf-8"))
    codes = {
        node.value.removeprefix("catalog-query-")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("catalog-query-")
        and len(node.value) < 30
    }
    assert codes == {code for _, code in HOSTILE.values()} | {"long", "many", "limit"}
