"""Sealed keys: opened by their passphrase and by nothing else."""

import base64
import json
from pathlib import Path

import pytest

from connector.identity import vault
from connector.identity.keys import KeyRing, create, install
from connector.identity.vault import MIN_PASSPHRASE, keys_of, seal, unseal
from policies.problem import Problem
from tests.support.ids import SeededIds

PASSPHRASE = "six mots tirés au hasard"
FILES = {"token-1.pem": b"x" * 300, "subject-1.hex": b"00" * 32 + b"\n"}


def sealing(seed: str) -> bytes:
    return seal(FILES, PASSPHRASE, did="did:web:a.example", random=SeededIds(seed).token)


@pytest.fixture(scope="module")
def sealed() -> bytes:
    """Sealed at the lowest cost that a reader accepts: what it holds is the same at every cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vault, "_COST", 2**14)
        return sealing("vault")


def refusal(data: bytes, passphrase: str = PASSPHRASE) -> str:
    with pytest.raises(Problem) as caught:
        unseal(data, passphrase)
    return caught.value.code


def test_what_was_sealed_comes_back():
    made = sealing("vault")
    assert json.loads(made)["kdf"]["n"] == 2**17
    assert unseal(made, PASSPHRASE) == FILES


def test_composed_and_decomposed_letters_are_the_same(sealed: bytes):
    assert unseal(sealed, PASSPHRASE.replace("é", "e\u0301")) == FILES


def test_nothing_shows_but_the_header(sealed: bytes):
    found = json.loads(sealed)
    content = base64.b64decode(found["sealed"])
    assert found.keys() == {"v", "kind", "node", "kdf", "cipher", "sealed"}
    assert not any(part in content for part in (*FILES.values(), *map(str.encode, FILES)))


def test_two_sealings_have_nothing_in_common(sealed: bytes):
    other = sealing("other")
    one, two = json.loads(sealed), json.loads(other)
    assert one["kdf"]["salt"] != two["kdf"]["salt"]
    assert one["cipher"]["nonce"] != two["cipher"]["nonce"]
    assert one["sealed"][:16] != two["sealed"][:16]


def test_another_passphrase_opens_nothing(sealed: bytes):
    assert refusal(sealed, PASSPHRASE + "x") == "identity-sealed-passphrase"


@pytest.mark.parametrize("member", ["node", "kdf.salt", "cipher.nonce", "sealed"])
def test_a_changed_member_is_found(member: str, sealed: bytes):
    found = json.loads(sealed)
    name, _, inner = member.partition(".")
    place, key = (found[name], inner) if inner else (found, name)
    text = place[key]
    place[key] = ("1" if text[0] != "1" else "2") + text[1:] if key != "node" else "did:web:b.x"
    assert refusal(json.dumps(found).encode()) == "identity-sealed-passphrase"


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"kind": "other"},
        {"kdf": {"name": "md5"}},
        {"kdf": {"name": "scrypt", "n": 2**30, "r": 8, "p": 1, "salt": "00"}},
        {"kdf": {"name": "scrypt", "n": 2, "r": 8, "p": 1, "salt": "00"}},
        {"kdf": {"name": "scrypt", "n": 2**17, "r": 800, "p": 1, "salt": "00"}},
        {"kdf": {"name": "scrypt", "n": 131071, "r": 8, "p": 1, "salt": "00" * 16}},
        {"kdf": None},
        {"cipher": {"name": "rot13"}},
        {"cipher": {"name": "aes-256-gcm", "nonce": "zz"}},
        {"sealed": 5},
        {"sealed": "*"},
    ],
)
def test_other_forms_are_refused(change: dict[str, object], sealed: bytes):
    assert refusal(json.dumps({**json.loads(sealed), **change}).encode()) == (
        "identity-sealed-invalid"
    )


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"null"])
def test_what_is_no_sealed_file_is_refused(data: bytes):
    assert refusal(data) == "identity-sealed-invalid"


@pytest.mark.parametrize("passphrase", ["", "x" * (MIN_PASSPHRASE - 1)])
def test_a_short_passphrase_seals_nothing(passphrase: str):
    with pytest.raises(Problem) as caught:
        seal(FILES, passphrase, did="did:web:a.example", random=SeededIds("vault").token)
    assert caught.value.code == "identity-passphrase-short"


def test_all_versions_of_the_keys_are_taken_and_put_back(tmp_path: Path):
    folder = tmp_path / "keys"
    create(folder, SeededIds("vault").token)
    second = folder / "log-2.pem"
    second.touch(mode=0o600)
    second.write_bytes((folder / "log-1.pem").read_bytes())
    (folder / "notes.txt").write_text("not a key")
    files = keys_of(folder)
    assert "log-2.pem" in files
    assert "notes.txt" not in files
    install(tmp_path / "again", files)
    assert KeyRing.load(tmp_path / "again").versions["log"] == 2
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "again").iterdir()} == {0o600}


def test_only_key_files_are_put_into_the_folder(tmp_path: Path):
    with pytest.raises(Problem) as caught:
        install(tmp_path / "keys", {"../outside.pem": b"x"})
    assert caught.value.code == "identity-key-unreadable"
    assert list(tmp_path.iterdir()) == []


def test_keys_others_can_read_are_not_taken(tmp_path: Path):
    create(tmp_path / "keys", SeededIds("vault").token)
    (tmp_path / "keys" / "token-1.pem").chmod(0o640)
    with pytest.raises(Problem) as caught:
        keys_of(tmp_path / "keys")
    assert caught.value.code == "identity-key-mode"
