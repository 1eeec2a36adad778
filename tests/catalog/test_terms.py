"""Generated contexts are the published ones, member for member."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog import terms
from policies.jcs import digest


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (terms.DSP_CONTEXT, "dsp-2025-1/context/dspace.jsonld"),
        (terms.ODRL_PROFILE, "dsp-2025-1/context/odrl.jsonld"),
        (terms.DATA_INTEGRITY, "contexts/data-integrity-v2.jsonld"),
    ],
)
def test_a_generated_context_equals_the_original(
    official: Callable[[str], Path], url: str, path: str
) -> None:
    original = json.loads(official(path).read_text(encoding="utf-8"))
    assert terms.document(url) == original
    assert terms.pins()[url] == digest(original)


def test_the_pins_are_known() -> None:
    """A changed context changes what signatures mean: change a pin only with an ADR."""
    short = {url: pin.removeprefix("sha-256:")[:16] for url, pin in terms.pins().items()}
    assert short[terms.CONTEXT] == "6c6b51ae2ae932e1"
    assert short[terms.DSP_CONTEXT] == "476a3b1d57066059"
    assert short[terms.ODRL_PROFILE] == "93d9c011800ebd2c"
    assert short[terms.DATA_INTEGRITY] == "7ba3c50acf2689d5"
    assert set(short) == set(terms.documents())


def test_a_context_handed_out_is_a_copy() -> None:
    handed = terms.document(terms.CONTEXT)
    handed.clear()
    assert terms.document(terms.CONTEXT)["@context"]


def test_our_context_is_flat_protected_and_keeps_clear_of_the_proof_terms() -> None:
    ours = terms.vocabulary(terms.CONTEXT)
    assert ours.protected
    assert all(term.scope is None for term in ours.terms.values())
    integrity = terms.vocabulary(terms.DATA_INTEGRITY).terms
    scope = integrity["DataIntegrityProof"].scope
    assert scope is not None
    assert set(ours.terms) & {*integrity, *scope.terms} == {"id", "type"}


def test_no_two_words_of_ours_mean_the_same() -> None:
    ours = terms.vocabulary(terms.CONTEXT)
    iris = [ours.expand(term.iri) for term in ours.terms.values()]
    assert len(iris) == len(set(iris))


def test_imports_are_carried_out_for_processors() -> None:
    text = json.dumps(terms.inlined(terms.DSP_CONTEXT))
    assert "@import" not in text
    assert "@import" in json.dumps(terms.document(terms.DSP_CONTEXT))
    context = terms.inlined(terms.DSP_CONTEXT)["@context"]
    assert isinstance(context, dict)
    assert context["Dataset"]["@context"]["leftOperand"]["@type"] == "@vocab"
    assert "leftOperand" not in context["Catalog"]["@context"]


def test_language_maps_are_read_from_the_table() -> None:
    assert terms.language_maps() == {"title", "description"}


def test_an_idle_node_loads_no_linked_data_engine() -> None:
    code = (
        "import sys, catalog, catalog.dcat, catalog.proofs, catalog.versions, catalog.verify,"
        "catalog.jsonld, catalog.terms\n"
        "catalog.terms.pins()\n"
        "print(sorted({'pyld', 'rdflib', 'pyoxigraph'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout.strip() == "[]"
