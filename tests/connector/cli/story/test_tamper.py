import json
import zipfile
from hashlib import sha256
from hmac import digest as hmac_digest
from pathlib import Path
from typing import Any

import pytest

from connector.cli.story.tamper import FORGERIES, Means, forge
from policies.jcs import jcs

NOTE = b"localhost/log\n3\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 localhost/log xx\n"
ROWS = [b'{"a":1}\n', b'{"a":2}\n', b'{"a":3}\n']
SALT = b"s" * 32


def leaf(kind: str, n: int) -> dict[str, Any]:
    return {"v": 1, "type": kind, "time": "2026-01-01T00:00:00Z", "agreement": "x", "n": n}


def line(index: int, kind: str, n: int) -> dict[str, Any]:
    return {"index": index, "leaf": jcs(leaf(kind, n)).decode(), "salt": None, "body": None}


@pytest.fixture
def bundle(tmp_path):
    """A bundle in miniature: enough of each file for a forger to work on."""
    lines = [line(4, "negotiation", 1), line(7, "part", 1), line(8, "part", 2), line(9, "part", 3)]
    manifest = {"transfer": "urn:uuid:t", "parts": [{"n": 1, "rows": 2, "bytes": 16, "digest": ""}]}
    files = {
        "dataset.json": jcs({"subject": {"title": {"fr": "Un", "en": "One"}}, "proof": {}}),
        "leaves.jsonl": b"".join(jcs(item) + b"\n" for item in lines),
        "manifest.json": jcs({**manifest, "proof": {}}),
        "salts.json": jcs({"parts": {"urn:uuid:t": SALT.hex()}}),
        "checkpoint": b"the newest",
    }
    log = {"origin": "localhost/log", "size": 12, "root": "B"}
    files["index.json"] = jcs({"v": 1, "files": {}, "log": log, "proof": {}})
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    (tmp_path / "data.ndjson").write_bytes(b"".join(ROWS))
    return path


def forged(bundle: Path, key: str) -> dict[str, bytes]:
    forgery = next(item for item in FORGERIES if item.key == key)
    means = Means(lambda document: {**document, "proof": "mine"}, NOTE, bundle.parent)
    out = bundle.with_name("forged.zip")
    forge(bundle, forgery, means, out)
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("key", [item.key for item in FORGERIES])
def test_the_index_of_a_forgery_agrees_with_its_files_and_is_signed(bundle, key):
    files = forged(bundle, key)
    index = json.loads(files.pop("index.json"))
    assert index["proof"] == "mine"
    assert index["files"] == {
        name: "sha-256:" + sha256(data).hexdigest() for name, data in files.items()
    }


def test_the_title_is_another_and_signed_again(bundle):
    document = json.loads(forged(bundle, "title")["dataset.json"])
    assert document == {"proof": "mine", "subject": {"title": {"fr": "Un (2)", "en": "One (2)"}}}


def test_a_leaf_is_gone_and_no_gap_shows(bundle):
    lines = [json.loads(item) for item in forged(bundle, "leaf")["leaves.jsonl"].splitlines()]
    leaves = [json.loads(item["leaf"]) for item in lines]
    assert [item["index"] for item in lines] == [4, 7, 8]
    assert [(item["type"], item["n"]) for item in leaves] == [
        ("negotiation", 1),
        ("part", 1),
        ("part", 2),
    ]


def test_the_part_has_one_row_more_under_the_right_salt(bundle):
    manifest = json.loads(forged(bundle, "row")["manifest.json"])
    content = ROWS[0] + ROWS[1] + ROWS[0]
    assert manifest["proof"] == "mine"
    assert manifest["parts"][0] == {
        "n": 1,
        "rows": 3,
        "bytes": 24,
        "digest": "hmac-sha-256:" + hmac_digest(SALT, content, "sha256").hex(),
    }


def test_the_checkpoint_is_the_old_one_and_the_index_says_so(bundle):
    files = forged(bundle, "checkpoint")
    assert files["checkpoint"] == NOTE
    assert json.loads(files["index.json"])["log"]["size"] == 3
