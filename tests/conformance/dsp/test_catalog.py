"""MET and CAT: the version document and the catalog."""

import pytest

from tests.conformance.counterpart import CONTEXT, Counterpart, segment
from tests.conformance.properties import Properties

pytestmark = pytest.mark.slow

REQUEST = {"@type": "CatalogRequestMessage"}


def datasets(counterpart: Counterpart) -> list[str]:
    """The datasets of the catalog, all pages."""
    answer = counterpart.post("/catalog/request", REQUEST)
    found = []
    while True:
        assert answer.status == 200, answer
        assert answer.body["@type"] == "Catalog"
        # At least one service, says the text; the schema lets it be missing.
        assert any(one.get("endpointURL") for one in answer.body["service"])
        found += [each["@id"] for each in answer.body.get("dataset", [])]
        link = answer.headers.get("link", "")
        if 'rel="next"' not in link:
            return found
        url = link.split('>; rel="next"')[0].split("<")[-1]
        answer = counterpart.post(url.removeprefix(counterpart.base), REQUEST)


def test_met_01_01_the_version_is_told(counterpart: Counterpart, properties: Properties):
    root = properties["dataspacetck.dsp.connector.http.base.url"]
    answer = counterpart.ask("GET", f"{root}/.well-known/dspace-version")
    assert answer.status == 200
    found = [each for each in answer.body["protocolVersions"] if each["version"] == "2025-1"]
    assert len(found) == 1
    assert found[0]["binding"] == "HTTPS"
    assert counterpart.base == root + found[0]["path"]


def test_cat_01_01_the_catalog_lists_the_dataset(counterpart: Counterpart, properties: Properties):
    assert properties["CAT_01_01_DATASETID"] in datasets(counterpart)


def test_cat_01_02_a_dataset_by_its_id(counterpart: Counterpart, properties: Properties):
    ident = properties["CAT_01_02_DATASETID"]
    answer = counterpart.get(f"/catalog/datasets/{segment(ident)}")
    assert answer.status == 200
    assert answer.body["@type"] == "Dataset"
    assert answer.body["@id"] == ident
    assert CONTEXT in answer.body["@context"]


def test_cat_01_03_a_dataset_that_is_not_there(counterpart: Counterpart, properties: Properties):
    ident = properties["CAT_01_03_DATASETID"]
    answer = counterpart.get(f"/catalog/datasets/{segment(ident)}")
    assert answer.status == 404
    assert answer.body["@type"] == "CatalogError"
