"""The operator's page shows what `preau init` writes."""

from pathlib import Path

import pytest

from connector.base import settings as configuration
from connector.runtime import initialise
from connector.services.operate.snippets import examples
from tests.support.source import ROOT


def for_url(url: str, folder: str = "/srv/preau/univ") -> dict[str, str]:
    node = {"did": "did:web:data.example.org", "name": "x", "public_url": url}
    checked = configuration.check({"node": node})
    return examples(checked, Path(folder), "/opt/preau/bin/preau")


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf", "preau-univ.service"])
def test_the_page_shows_them_word_by_word(name: str):
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    assert for_url("https://data.example.org")[name] in page


def test_a_node_behind_a_path_keeps_its_path():
    made = for_url("https://data.example.org/univ-a")
    assert "handle /univ-a/* {" in made["Caddyfile"]
    assert "location /univ-a/ {" in made["nginx.conf"]
    assert "proxy_pass http://127.0.0.1:8080;" in made["nginx.conf"]  # nothing is stripped


def test_init_writes_them(tmp_path: Path):
    folder = tmp_path / "univ"
    initialise(folder, name="x", public_url="https://data.example.org")
    names = {path.name for path in (folder / "examples").iterdir()}
    assert names == {"Caddyfile", "nginx.conf", "preau-univ.service"}
    service = (folder / "examples" / "preau-univ.service").read_text("utf-8")
    assert f"serve {folder}\n" in service


def test_a_node_for_trying_things_needs_none(tmp_path: Path):
    initialise(tmp_path / "n", name="x", public_url="http://localhost:19999", dev=True)
    assert not (tmp_path / "n" / "examples").exists()
