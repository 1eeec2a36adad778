import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from connector.cli.story.agreeing import compare

AGREEMENT = {"id": "urn:uuid:a", "parties": ["x", "y"]}
SENT = {"message": "ContractRequestMessage", "digest": "sha-256:1", "state": "REQUESTED"}
MANIFEST = {"transfer": "t", "state": "complete", "digest": "sha-256:2"}


def entry(kind: str, body: dict[str, Any] | None) -> dict[str, Any]:
    return {"leaf": json.dumps({"type": kind}), "body": body}


def bundle(path: Path, *entries: dict[str, Any], **files: Any) -> Path:
    content = {
        "agreement.json": {**AGREEMENT, "proof": []},
        "application.json": {"by": "y"},
        "dataset.json": {"of": "x"},
        "manifest.json": MANIFEST,
        **{name.replace("_", "."): value for name, value in files.items()},
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in content.items():
            archive.writestr(name, json.dumps(value))
        archive.writestr("leaves.jsonl", "".join(json.dumps(one) + "\n" for one in entries))
    return path


def passed(direction: str) -> list[dict[str, Any]]:
    """What both parties log, each in its own direction, and what only one of them does."""
    own = entry("decision" if direction == "in" else "receipt-kept", {"digest": "sha-256:9"})
    between = entry("negotiation", {**SENT, "direction": direction})
    return [between, entry("manifest", MANIFEST), entry("part", None), own]


def test_two_accounts_of_one_agreement_agree(tmp_path):
    found = compare(
        bundle(tmp_path / "1.zip", *passed("in")), bundle(tmp_path / "2.zip", *passed("out"))
    )
    assert found.agree
    assert (found.shared, found.alone, found.differing) == (2, 0, ())


def test_a_leaf_that_one_party_keeps_back_is_told(tmp_path):
    found = compare(
        bundle(tmp_path / "1.zip", *passed("in")), bundle(tmp_path / "2.zip", *passed("out")[1:])
    )
    assert (found.shared, found.alone, found.agree) == (1, 1, False)


@pytest.mark.parametrize(
    ("name", "differing"),
    [
        ("agreement_json", "agreement.json"),
        ("dataset_json", "dataset.json"),
        ("manifest_json", "manifest.json"),
    ],
)
def test_a_document_that_differs_is_named(tmp_path, name, differing):
    changed = {name: {"something": "else", "proof": []}}
    found = compare(
        bundle(tmp_path / "1.zip", *passed("in")),
        bundle(tmp_path / "2.zip", *passed("out"), **changed),
    )
    assert found.differing == (differing,)
    assert not found.agree


def test_nothing_in_common_is_no_agreement(tmp_path):
    assert not compare(bundle(tmp_path / "1.zip"), bundle(tmp_path / "2.zip")).agree
