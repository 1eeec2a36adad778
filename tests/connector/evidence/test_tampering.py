"""Well-formed tampering: every digest of the index made to fit again, by whoever can sign."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from connector.evidence.note import Advance, write_advance
from connector.evidence.verify import verify
from connector.store import leaves
from policies.jcs import digest

SIGNERS = [None, "platform", "lab", "attacker"]


@pytest.fixture(params=SIGNERS, ids=str)
def signer(request, parties):
    """Nobody signs the index again, or the node itself, the other party, an outsider does."""
    return parties.get(request.param)


def failed(report) -> set[str]:
    assert not report.ok
    assert all(check.fr and check.en and check.where for check in report.failures)
    return {check.name for check in report.failures}


def places(report, name) -> Any:
    return {check.where for check in report.failures if check.name == name}


def check(forger, signer, folder, **given) -> Any:
    forger.index(signer)
    report = verify(forger.write(folder), **given)
    names = failed(report)
    # Whoever is not the node cannot sign its index.
    assert ("index" in names) == (signer is None or signer.name != "Plateforme")
    return report, names


def test_a_changed_title_is_found(forger, signer, tmp_path):
    document = forger.json("dataset.json")
    document["subject"]["title"]["fr"] = "Autres traces"
    forger.put("dataset.json", document)
    report, names = check(forger, signer, tmp_path)
    assert "dataset" in names
    assert "dataset.json" in places(report, "dataset")


def test_a_leaf_dropped_is_found_by_its_number(forger, signer, tmp_path):
    lines = forger.lines()
    dropped = next(line for line in lines if '"type":"part"' in line["leaf"])
    lines.remove(dropped)
    forger.put_lines(lines)
    report, names = check(forger, signer, tmp_path)
    assert {"numbering", "parts"} <= names
    assert "manifest.json part 1" in places(report, "parts")


def test_a_leaf_dropped_and_the_others_renumbered_is_found(forger, signer, tmp_path):
    lines = forger.lines()
    numbered = [line for line in lines if '"type":"part"' in line["leaf"]]
    lines.remove(numbered[0])
    for number, line in enumerate(numbered[1:], start=1):
        line["leaf"] = line["leaf"].replace(f'"n":{number + 1}', f'"n":{number}')
    forger.put_lines(lines)
    report, names = check(forger, signer, tmp_path)
    assert {"leaves", "parts"} <= names
    changed = {f"leaves.jsonl:{lines.index(line) + 1}" for line in numbered[1:]}
    assert places(report, "leaves") == changed


def test_leaves_renumbered_in_index_and_number_are_found(forger, signer, tmp_path):
    lines = forger.lines()
    place = next(i for i, line in enumerate(lines) if '"type":"part"' in line["leaf"])
    for line in lines[place + 1 :]:
        line["index"] -= 1
    del lines[place]
    forger.put_lines(lines)
    report, _ = check(forger, signer, tmp_path)
    assert len(places(report, "leaves")) == len(lines) - place


def test_a_part_with_one_row_more_is_found(forger, signer, parties, tmp_path):
    manifest = forger.json("manifest.json")
    manifest["parts"][1]["rows"] += 1
    forger.put("manifest.json", manifest)
    report, names = check(forger, signer, tmp_path)
    assert {"parts", "manifest", "receipt"} <= names
    assert places(report, "parts") == {"manifest.json part 2"}


def test_a_part_with_one_row_more_in_a_manifest_signed_again_is_found(
    forger, signer, parties, tmp_path
):
    manifest = forger.json("manifest.json")
    manifest["parts"][1]["rows"] += 1
    manifest = parties["platform"].sign({k: v for k, v in manifest.items() if k != "proof"})
    forger.put("manifest.json", manifest)
    report, names = check(forger, signer, tmp_path)
    assert {"parts", "manifest", "receipt"} <= names
    assert places(report, "parts") == {"manifest.json part 2"}


def test_a_part_with_one_row_more_in_its_leaf_too_is_found(forger, signer, tmp_path):
    manifest, lines = forger.json("manifest.json"), forger.lines()
    manifest["parts"][0]["rows"] += 1
    line = next(line for line in lines if '"type":"part"' in line["leaf"])
    line["body"]["rows"] += 1
    forger.put("manifest.json", manifest)
    forger.put_lines(lines)
    report, names = check(forger, signer, tmp_path)
    assert {"leaves", "manifest"} <= names
    assert places(report, "leaves") == {f"leaves.jsonl:{lines.index(line) + 1}"}


def test_an_older_valid_checkpoint_is_found(forger, played, signer, tmp_path):
    forger.files["checkpoint"] = played.older
    report, names = check(forger, signer, tmp_path)
    assert {"checkpoint", "leaves"} <= names
    assert len(places(report, "leaves")) == len(forger.lines())


def test_an_older_valid_checkpoint_with_proofs_to_fit_is_found(forger, played, signer, tmp_path):
    """The best a forger can do: everything after it dropped, every proof made again."""
    kept = [line for line in forger.lines() if line["index"] < played.older_size]
    for line in kept:
        proof = played.node.log.inclusion(line["index"], played.older_size)
        line["proof"] = [sibling.hex() for sibling in proof]
    forger.put_lines(kept)
    forger.files["checkpoint"] = played.older
    origin, size, root = played.older.decode().split("\n")[:3]
    forger.index(signer, log={"origin": origin, "size": int(size), "root": root})
    names = failed(verify(forger.write(tmp_path)))
    assert {"parts", "manifest", "receipt"} <= names


def test_a_bundle_cut_at_an_older_state_is_honest_but_a_newer_checkpoint_says_more(
    played, forger, parties, tmp_path
):
    """Without what came later it is simply an older bundle: only `--log` can say so."""
    kept = [line for line in forger.lines() if line["index"] < played.older_size]
    for line in kept:
        proof = played.node.log.inclusion(line["index"], played.older_size)
        line["proof"] = [sibling.hex() for sibling in proof]
    forger.put_lines(kept)
    forger.files["checkpoint"] = played.older
    for path in ("manifest.json", "receipt.json"):
        del forger.files[path]
    del forger.files[next(name for name in forger.files if "Completion" in name)]
    origin, size, root = played.older.decode().split("\n")[:3]
    forger.index(parties["platform"], log={"origin": origin, "size": int(size), "root": root})
    path = forger.write(tmp_path)
    assert verify(path).ok
    proof = played.node.log.consistency(played.older_size)
    given = write_advance(Advance(played.older_size, proof, played.node.log.checkpoint()))
    report = verify(path, log_checkpoint=given)
    said = [check.en for check in report.checks if check.name == "log"]
    assert report.ok
    assert any("what came after is not in it" in text for text in said)


def test_an_agreement_with_other_rules_is_found(forger, signer, tmp_path):
    agreement = forger.json("agreement.json")
    agreement["permission"][0]["constraint"].pop()
    forger.put("agreement.json", agreement)
    _, names = check(forger, signer, tmp_path)
    assert "agreement" in names


def test_an_agreement_signed_again_by_one_party_is_found(forger, signer, parties, tmp_path):
    agreement = forger.json("agreement.json")
    agreement["timestamp"] = "2026-09-02T08:05:00Z"
    bare = {name: value for name, value in agreement.items() if name != "proof"}
    agreement["proof"] = [parties["platform"].sign(bare)["proof"], agreement["proof"][1]]
    forger.put("agreement.json", agreement)
    report, names = check(forger, signer, tmp_path)
    assert "agreement" in names
    assert places(report, "agreement") == {"agreement.json"}


def test_a_key_slipped_into_a_did_document_is_found(forger, parties, tmp_path):
    """The attacker gives the node his own key, then signs the index with it in its name."""
    platform, attacker = parties["platform"], parties["attacker"]
    document = forger.json("did/01.json")
    key = attacker.did_document()["verificationMethod"][0]
    method = f"{platform.did}#assertion-2"
    document["verificationMethod"].append(key | {"id": method, "controller": platform.did})
    document["assertionMethod"].append(method)
    forger.put("did/01.json", document)
    forger.index(attacker)
    index = forger.json("index.json")
    assert index["proof"]["verificationMethod"] == attacker.method
    report = verify(forger.write(tmp_path))
    names = failed(report)
    assert {"index", "keys", "checkpoint"} <= names
    assert "did/01.json" in places(report, "keys")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("agreement.json", "agreement"),
        ("application.json", "application"),
        ("dataset.json", "dataset"),
        ("plan.json", "plan"),
        ("messages/002-out-ContractAgreementMessage.json", "messages"),
        ("decisions/01.json", "decisions"),
        ("manifest.json", "manifest"),
        ("receipt.json", "receipt"),
        ("did/01.json", "keys"),
        ("did/02.json", "agreement"),
        ("salts.json", "leaves"),
        ("leaves.jsonl", "leaves"),
        ("checkpoint", "checkpoint"),
    ],
)
def test_a_file_that_is_left_out_is_found(forger, parties, tmp_path, path, name):
    del forger.files[path]
    forger.index(parties["platform"])
    assert name in failed(verify(forger.write(tmp_path)))


def test_each_file_is_held_by_more_than_the_index(forger, played, parties, tmp_path):
    """Any one member changed anywhere, the index signed again by the node itself: found."""
    for path in sorted(forger.files):
        if not path.endswith(".json") or path in ("index.json", "salts.json"):
            continue
        original = forger.files[path]
        document = forger.json(path)
        document["x"] = "y"
        forger.put(path, document)
        forger.index(parties["platform"])
        assert not verify(forger.write(tmp_path)).ok, path
        forger.files[path] = original


def test_a_salt_or_body_of_a_leaf_that_is_changed_is_named(forger, signer, tmp_path):
    lines = forger.lines()
    lines[3]["salt"] = "00" * 32
    lines[5]["body"] = {"digest": digest({})}
    lines[6]["body"] = lines[6]["salt"] = None
    forger.put_lines(lines)
    report, _ = check(forger, signer, tmp_path)
    assert places(report, "leaves") == {"leaves.jsonl:4", "leaves.jsonl:6", "leaves.jsonl:7"}


def test_leaves_in_another_order_are_found(forger, signer, tmp_path):
    lines = forger.lines()
    lines[4], lines[5] = lines[5], lines[4]
    forger.put_lines(lines)
    report, names = check(forger, signer, tmp_path)
    assert "numbering" in names
    assert "leaves.jsonl:6" in places(report, "numbering")


def test_a_leaf_of_another_agreement_is_found(forger, played, parties, tmp_path):
    node = played.node
    rows = node.store.read_now(lambda tx: leaves.between(tx, start=0, stop=99))
    other = next(row for row in rows if row.agreement == "urn:uuid:another")
    line = {
        "index": other.idx,
        "leaf": other.data.decode(),
        "salt": other.shared_salt.hex(),
        "body": other.shared_body,
        "proof": [sibling.hex() for sibling in node.log.inclusion(other.idx)],
    }
    forger.put_lines(sorted([*forger.lines(), line], key=lambda each: each["index"]))
    forger.index(parties["platform"])
    assert "leaves" in failed(verify(forger.write(tmp_path)))


def test_a_message_more_is_found(forger, signer, tmp_path):
    forger.files["messages/099-in-TransferStartMessage.json"] = b'{"@type":"TransferStartMessage"}'
    report, _ = check(forger, signer, tmp_path)
    assert "messages/099-in-TransferStartMessage.json" in places(report, "messages")


def test_a_file_that_is_not_announced_is_found(forger, tmp_path):
    forger.files["decisions/02.json"] = b"{}"
    assert "index" in failed(verify(forger.write(tmp_path)))


# ------------------------------------------------------------------------------- the other log


def test_a_newer_checkpoint_with_its_proof_passes(played, forger, tmp_path):
    size = played.older_size
    given = write_advance(
        Advance(size, played.node.log.consistency(size), played.node.log.checkpoint())
    )
    report = verify(forger.write(tmp_path), log_checkpoint=given)
    assert report.ok
    older = write_advance(Advance(size, played.node.log.consistency(size), played.older))
    report = verify(forger.write(tmp_path), log_checkpoint=older)
    assert report.ok
    said = [check.en for check in report.checks if check.name == "log" and check.ok is None]
    assert any("is older than leaf" in text for text in said)


def test_without_the_proof_it_says_what_is_not_checked(played, forger, tmp_path):
    report = verify(forger.write(tmp_path), log_checkpoint=played.older)
    said = [check.en for check in report.checks if check.name == "log" and check.ok is None]
    assert report.ok
    assert "Without a consistency proof" in said[0]


def test_a_wrong_proof_is_a_fork(played, forger, tmp_path):
    proof = played.node.log.consistency(played.older_size)
    bad = (bytes(32), *proof[1:])
    given = write_advance(Advance(played.older_size, bad, played.older))
    report = verify(forger.write(tmp_path), log_checkpoint=given)
    assert failed(report) == {"log"}


def test_another_root_of_the_same_size_is_a_fork(played, forger, parties, tmp_path):
    from connector.evidence.note import Checkpoint, Verifier, sign_checkpoint

    platform, log = parties["platform"], played.node.log
    signer = Verifier(log.verifier.name, platform.public("log"))
    for origin, expected in ((signer.name, "does not extend"), ("x/log", "known key")):
        forked = sign_checkpoint(
            Checkpoint(origin, log.size, bytes(32)),
            Verifier(origin, signer.key),
            platform.key("log").sign,
        )
        report = verify(forger.write(tmp_path), log_checkpoint=forked)
        assert failed(report) == {"log"}
        assert expected in report.failures[0].en


def test_the_checkpoint_of_another_log_is_refused(forger, played_by_lab, tmp_path):
    given = played_by_lab.node.log.checkpoint()
    report = verify(forger.write(tmp_path), log_checkpoint=given)
    assert failed(report) == {"log"}


# --------------------------------------------------------------------------------- the archive


def packed(entries, **options) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data, **options)
    return buffer.getvalue()


def link() -> bytes:
    entry = zipfile.ZipInfo("index.json")
    entry.external_attr = 0o120777 << 16
    return packed([(entry, "/etc/passwd")])


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "no-zip": lambda: b"PK but no zip",
    "empty": lambda: b"",
    "up": lambda: packed([("../index.json", b"{}")]),
    "absolute": lambda: packed([("/index.json", b"{}")]),
    "backslash": lambda: packed([("did\\01.json", b"{}")]),
    "folder": lambda: packed([("did/", b"")]),
    "stranger": lambda: packed([("readme.txt", b"hello")]),
    "newline": lambda: packed([("index.json\n", b"{}")]),
    "zero": lambda: packed([("index.json", b"{}")]).replace(b"index.json", b"index.jso\0"),
    "link": link,
    "bomb": lambda: packed([("index.json", b" " * (65 * 1024 * 1024))]),
    "lzma": lambda: packed([("index.json", b"{}")], compress_type=zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_that_are_no_bundles_are_refused_whole(name, tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(ARCHIVES[name]())
    report = verify(path)
    assert [check.name for check in report.checks] == ["archive"]
    assert not report.ok


def test_a_missing_file_is_a_failed_check(tmp_path):
    assert not verify(tmp_path / "none.zip").ok


def test_a_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed([("index.json", b"{}"), ("index.json", b"[]")])
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    report = verify(path)
    assert report.failures[0].where == "index.json"


def test_a_size_that_lies_is_refused(played, tmp_path):
    data = bytearray(played.data)
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = (10).to_bytes(4, "little")
    path = tmp_path / "x.zip"
    path.write_bytes(bytes(data))
    assert verify(path).checks[0].name == "archive"
    assert not verify(path).ok


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b'{"a":1e999}', b'{"a":"\\ud800"}'],
    ids=range(8),
)
def test_files_that_are_no_json_objects_never_break_the_verifier(forger, parties, tmp_path, data):
    for path in sorted(forger.files):
        original = forger.files[path]
        forger.files[path] = data
        if path != "index.json":
            forger.index(parties["platform"])
        assert not verify(forger.write(tmp_path)).ok, path
        forger.files[path] = original
