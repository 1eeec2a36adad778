"""Snapshots: one document, one digest; an auditor needs nothing else."""

import json
import subprocess
import sys

import pytest

from connector.identity import snapshot
from connector.identity.did import DidDocument
from policies.jcs import digest, jcs
from policies.problem import Problem
from tests.connector.identity.conftest import Party


def test_the_same_document_has_one_snapshot_whatever_its_spelling(alice: Party):
    spelled = json.dumps(dict(reversed(alice.source.items())), indent=3).encode()
    taken = snapshot.take(DidDocument.parse(spelled, alice.did))
    assert taken == snapshot.take(alice.document) == snapshot.of_source(alice.source, alice.did)
    assert taken.content == jcs(alice.source)
    assert taken.digest == digest(alice.source)
    assert taken.did == alice.did


def test_a_snapshot_reads_back_with_its_keys(alice: Party):
    taken = snapshot.take(alice.document)
    read = snapshot.read(taken.content, taken.digest)
    assert read.did == alice.did
    assert read.assertion_key(f"{alice.did}#assertion-1") == alice.keys.assertion_public


def test_an_altered_snapshot_is_noticed(alice: Party, bob: Party):
    taken = snapshot.take(alice.document)
    for content in (taken.content + b" ", snapshot.take(bob.document).content):
        with pytest.raises(Problem, match="identity-snapshot-digest"):
            snapshot.read(content, taken.digest)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"id":5}', b'{"id":"a","id":"a"}'])
def test_what_is_no_document_is_refused(content: bytes):
    with pytest.raises(Problem, match="identity-document-malformed"):
        snapshot.read(content)


def test_a_huge_file_is_refused():
    with pytest.raises(Problem, match="identity-document-size"):
        snapshot.read(b" " * 70_000)


def test_a_document_without_canonical_form_has_no_snapshot(alice: Party):
    with pytest.raises(Problem, match="identity-document-malformed"):
        snapshot.of_source({**alice.source, "n": 2**60}, alice.did)


def test_snapshots_need_neither_store_nor_network():
    program = (
        "import sys; import connector.identity.snapshot; "
        "found = [m for m in sys.modules if m.startswith(('connector.store', 'connector.delivery'))"
        " or m in ('httpx', 'aiohttp', 'asyncio', 'sqlite3', 'sqlalchemy', 'jwt')]; "
        "sys.exit(repr(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
