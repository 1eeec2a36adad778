"""What is exported says exactly what was signed, and is what DCAT-AP asks for."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import dcat, export, model, nquads
from policies.problem import Problem

SHAPES = "dcat-ap-3.0.1-shacl/shapes.ttl"
PARSERS = {
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "nt": pyoxigraph.RdfFormat.N_TRIPLES,
    "xml": pyoxigraph.RdfFormat.RDF_XML,
}


def read(data: bytes, form: str) -> str:
    """The quads of an export, read by somebody else's parser."""
    found = pyoxigraph.Dataset(pyoxigraph.parse(data, format=PARSERS[form]))
    return nquads.text(f"{quad} ." for quad in found)


@pytest.mark.parametrize("form", export.FORMATS)
def test_another_parser_reads_what_was_signed(form: str, datasets: st.SearchStrategy[Any]):
    @settings(max_examples=15)
    @given(st.lists(datasets, max_size=3))
    def check(found: list[model.Dataset]) -> None:
        documents = [dcat.document(each) for each in found]
        assert read(export.export(documents, form), form) == nquads.of(documents)

    check()


@pytest.mark.parametrize("form", export.FORMATS)
def test_texts_that_break_exporters_survive(form: str, make: Callable[..., model.Dataset]):
    words = "\t a\n\n  b \"c\" '''d''' \\ ]]> &amp; <x> é\u0085\u2028\U0001d11e {{}} \"\"\""
    document = dcat.document(make(description=model.Words(words, words)))
    assert read(export.export([document], form), form) == nquads.of([document])


def test_dates_keep_their_spelling(dataset: model.Dataset):
    for form in ("ttl", "xml"):
        text = export.export([dcat.document(dataset)], form).decode()
        assert "2026-11-23T08:00:00Z" in text
        assert "+00:00" not in text


def test_an_unknown_format_is_refused(dataset: model.Dataset):
    with pytest.raises(Problem) as caught:
        export.export([dcat.document(dataset)], "json-ld")
    assert caught.value.code == "catalog-export-format"


def test_a_changed_character_is_noticed(dataset: model.Dataset, monkeypatch: pytest.MonkeyPatch):
    plain = export._read

    def normalizing(data: bytes, form: str) -> Any:
        import rdflib

        if form == "nt":
            return plain(data, form)
        rdflib.NORMALIZE_LITERALS = True
        return rdflib.Graph().parse(data=data, format=form)

    monkeypatch.setattr(export, "_read", normalizing)
    with pytest.raises(Problem) as caught:
        export.export([dcat.document(dataset)], "ttl")
    assert caught.value.code == "catalog-export-differs"


def test_blank_nodes_are_refused():
    with pytest.raises(Problem) as caught:
        export.quads_of(export.graph("_:a <urn:b> <urn:c> .\n"))
    assert caught.value.code == "catalog-export-blank"


def test_the_rdf_library_is_imported_on_use_only():
    code = "import sys; from catalog import export; assert 'rdflib' not in sys.modules"
    root = Path(export.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


# ----------------------------------------------------------------------------------- DCAT-AP


def violations(documents: list[dict[str, object]], shapes: Path) -> list[str]:
    """The messages of the DCAT-AP shapes' violations (what they merely recommend left out)."""
    shacl = pytest.importorskip("pyshacl", reason="pyshacl is not installed")
    import rdflib

    data = export.graph(nquads.of(documents))
    rules = rdflib.Graph().parse(shapes, format="turtle")
    _, found, _ = shacl.validate(data, shacl_graph=rules, inference="none")
    base = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    results = found.subjects(base.resultSeverity, base.Violation)
    return [
        f"{found.value(each, base.resultPath)} {found.value(each, base.resultMessage)}"
        for each in results
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_dataset_meets_dcat_ap(official: Callable[[str], Path], dataset: model.Dataset):
    assert violations([dcat.document(dataset)], official(SHAPES)) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_shapes_notice_a_missing_title(official: Callable[[str], Path], dataset: model.Dataset):
    document: Any = json.loads(json.dumps(dcat.document(dataset)))
    del document["subject"]["title"]
    (found,) = violations([document], official(SHAPES))
    assert "http://purl.org/dc/terms/title" in found
