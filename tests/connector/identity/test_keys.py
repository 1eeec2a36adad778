"""Keys: made once, readable by their owner only, each loaded as what it is."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from connector.identity.keys import NAMES, KeyRing, create, derive
from policies.problem import Problem
from tests.support.ids import SeededIds

FILES = {"token-1.pem", "assertion-1.pem", "log-1.pem", "pseudonym-1.hex", "subject-1.hex"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "node" / "keys"
    create(path, SeededIds("keys").token)
    return path


def test_five_keys_in_files_of_their_owner(folder: Path):
    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.with_name("keys.partial").exists()


def test_the_same_random_source_makes_the_same_keys_and_another_makes_others(tmp_path: Path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        create(tmp_path / name, SeededIds(seed).token)
    first, again, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "abc"
    )
    assert first == again
    assert all(first[name] != other[name] for name in FILES)
    assert len(set(first.values())) == len(FILES)


def test_keys_are_never_overwritten(folder: Path):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(Problem) as caught:
        create(folder, SeededIds("other").token)
    assert caught.value.code == "identity-keys-exist"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_interrupted_creation_leaves_nothing_and_can_be_repeated(tmp_path: Path):
    calls: list[int] = []

    def failing(size: int) -> bytes:
        calls.append(size)
        if len(calls) == 3:
            raise OSError("no entropy")
        return bytes(size)

    with pytest.raises(OSError, match="entropy"):
        create(tmp_path / "keys", failing)
    assert not (tmp_path / "keys").exists()
    create(tmp_path / "keys", SeededIds().token)
    KeyRing.load(tmp_path / "keys")


def test_an_empty_folder_may_be_filled(tmp_path: Path):
    (tmp_path / "keys").mkdir()
    create(tmp_path / "keys", SeededIds().token)
    assert KeyRing.load(tmp_path / "keys").versions == dict.fromkeys(NAMES, 1)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
@pytest.mark.parametrize("name", sorted(FILES))
def test_a_key_others_may_read_is_refused_with_the_chmod(folder: Path, name: str, mode: int):
    (folder / name).chmod(mode)
    with pytest.raises(Problem) as caught:
        KeyRing.load(folder)
    assert caught.value.code == "identity-key-mode"
    for lang in ("fr", "en"):
        assert f"chmod 600 {folder / name}" in caught.value.remedy(lang)


def test_a_folder_others_may_enter_is_refused_with_the_chmod(folder: Path):
    folder.chmod(0o755)
    with pytest.raises(Problem) as caught:
        KeyRing.load(folder)
    assert f"chmod 700 {folder}" in caught.value.remedy("en")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_key_is_named(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(Problem) as caught:
        KeyRing.load(folder)
    assert caught.value.code == "identity-keys-missing"
    assert caught.value.params["name"] == name.partition("-")[0]


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(Problem) as caught:
        KeyRing.load(tmp_path / "nowhere")
    assert caught.value.code == "identity-keys-missing"


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("content", [b"", b"rubbish", b"\xff\xfe", b"00" * 31, b"0x" * 32])
def test_a_damaged_key_is_named(folder: Path, name: str, content: bytes):
    (folder / name).write_bytes(content)
    with pytest.raises(Problem) as caught:
        KeyRing.load(folder)
    assert (caught.value.code, caught.value.params["path"]) == (
        "identity-key-unreadable",
        str(folder / name),
    )


@pytest.mark.parametrize(("name", "other"), [("token", "log"), ("log", "token")])
def test_a_key_of_another_kind_is_refused(folder: Path, name: str, other: str):
    (folder / f"{name}-1.pem").write_bytes((folder / f"{other}-1.pem").read_bytes())
    with pytest.raises(Problem) as caught:
        KeyRing.load(folder)
    assert caught.value.code == "identity-key-unreadable"


def test_the_newest_version_is_used(folder: Path, tmp_path: Path):
    create(tmp_path / "new", SeededIds("new").token)
    for number in ("2", "10"):
        target = folder / f"assertion-{number}.pem"
        target.touch(mode=0o600)
        target.write_bytes((tmp_path / "new" / "assertion-1.pem").read_bytes())
    (folder / "assertion-11.hex").touch(mode=0o600)  # not a key's name
    ring = KeyRing.load(folder)
    assert ring.versions["assertion"] == 10
    assert ring.fragment("assertion") == "assertion-10"
    assert ring.assertion_public == KeyRing.load(tmp_path / "new").assertion_public


def test_signatures_verify_with_the_public_key_of_their_purpose(folder: Path):
    ring = KeyRing.load(folder)
    Ed25519PublicKey.from_public_bytes(ring.assertion_public).verify(
        ring.sign_assertion(b"promise"), b"promise"
    )
    Ed25519PublicKey.from_public_bytes(ring.log_public).verify(ring.sign_log(b"note"), b"note")
    assert ring.assertion_public != ring.log_public


def test_nothing_secret_shows_in_a_repr(folder: Path):
    ring = KeyRing.load(folder)
    shown = repr(ring)
    secrets = [ring.pseudonym_secret, ring.subject_secret, ring.assertion_key.private_bytes_raw()]
    assert not any(secret.hex() in shown or repr(secret) in shown for secret in secrets)


def test_files_are_plain_pkcs8(folder: Path):
    ring = KeyRing.load(folder)
    stored = load_pem_private_key((folder / "token-1.pem").read_bytes(), None)
    plain = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert stored.private_bytes(*plain) == ring.token_key.private_bytes(*plain)


def test_derived_bytes_depend_on_secret_purpose_and_every_part():
    base = derive(b"s" * 32, b"pseudonym", b"ab", b"c")
    assert len(base) == 32
    assert base == derive(b"s" * 32, b"pseudonym", b"ab", b"c")
    others = [
        derive(b"t" * 32, b"pseudonym", b"ab", b"c"),
        derive(b"s" * 32, b"order", b"ab", b"c"),
        derive(b"s" * 32, b"pseudonym", b"a", b"bc"),
        derive(b"s" * 32, b"pseudonym", b"abc"),
        derive(b"s" * 32, b"pseudonym", b"ab", b"c", b""),
        derive(b"s" * 32, b"pseudonymab", b"c"),
    ]
    assert len({base, *others}) == len(others) + 1
    assert len(derive(b"s" * 32, b"pseudonym", size=16)) == 16


def test_the_ring_derives_under_the_pseudonym_secret(folder: Path):
    ring = KeyRing.load(folder)
    assert ring.derive(b"p", b"x") == derive(ring.pseudonym_secret, b"p", b"x")
    assert ring.derive(b"p", b"x") != derive(ring.subject_secret, b"p", b"x")
