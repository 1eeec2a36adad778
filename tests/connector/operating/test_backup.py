"""A backup holds everything a node cannot make again, no key in the clear, and nothing half."""

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from connector import operating
from connector.base import settings as configuration
from connector.http import management
from connector.identity import vault
from connector.identity.keys import KeyRing
from connector.services.operate import backups, restoring
from connector.services.operate.restoring import Restoring
from connector.store import leaves
from connector.store.lock import NodeLock
from policies.problem import Problem
from tests.connector.operating.conftest import PASSPHRASE, fetch_all, pair


def offline(_: object) -> None:
    raise AssertionError("no node runs")


def back_up(folder: Path, out: Path, passphrase: str | None = None) -> dict[str, object]:
    return operating.back_up(out, offline, folder=folder, passphrase=passphrase)


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def repacked(archive: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with other members."""
    found = members(archive)
    change(found)
    with tarfile.open(target, "w") as tar:
        for name, content in found.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target


def refusal(archive: Path, folder: Path, given: Restoring) -> Problem:
    """Why a restore failed; nothing of it remains."""
    before = sorted(folder.parent.iterdir())
    with pytest.raises(Problem) as caught:
        operating.restore(archive, folder, given)
    assert sorted(folder.parent.iterdir()) == before
    return caught.value


# ------------------------------------------------------------------ what is in it


def test_it_is_private_verified_and_lists_what_it_holds(copy_of, tmp_path: Path):
    folder, out = copy_of("platform"), tmp_path / "b.tar"
    made = back_up(folder, out)
    assert out.stat().st_mode & 0o777 == 0o600
    found = members(out)
    manifest = json.loads(found.pop("manifest.json"))
    assert {entry["path"] for entry in manifest["files"]} == found.keys()
    for entry in manifest["files"]:
        content = found[entry["path"]]
        assert entry["size"] == len(content)
        assert entry["digest"] == "sha-256:" + hashlib.sha256(content).hexdigest()
    assert {"preau.toml", "preau.sqlite", "consent.journal"} < found.keys()
    assert any(name.endswith("/rows.bin") for name in found)
    assert made["files"] == len(found)
    assert not [path.name for path in tmp_path.rglob("*.partial")]


def test_without_a_passphrase_no_secret_is_in_it(copy_of, tmp_path: Path):
    folder, out = copy_of("platform"), tmp_path / "b.tar"
    made = back_up(folder, out)
    assert made["keys"] is False
    content = out.read_bytes()
    for path in [*(folder / "keys").iterdir(), folder / "tokens" / "operator"]:
        lines = [line for line in path.read_bytes().splitlines() if not line.startswith(b"-----")]
        assert lines
        assert all(line not in content for line in lines)
        assert bytes.fromhex(lines[0].decode()) not in content if path.suffix == ".hex" else True


def test_with_a_passphrase_every_secret_is_sealed(copy_of, tmp_path: Path):
    folder, out = copy_of("platform"), tmp_path / "b.tar"
    assert back_up(folder, out, PASSPHRASE)["keys"] is True
    content = out.read_bytes()
    for path in (folder / "keys").iterdir():
        assert path.read_bytes().splitlines()[-2:][0] not in content
    sealed = members(out)["keys.sealed"]
    names = {path.name for path in (folder / "keys").iterdir()}
    assert vault.unseal(sealed, PASSPHRASE).keys() == names | {"tokens/operator"}


async def test_a_running_node_gives_it_to_its_operator_only(opening, copy_of, tmp_path: Path):
    folder = copy_of("platform")
    secret = (folder / "tokens" / "operator").read_text("ascii").strip()
    async with opening(folder) as platform:
        with pytest.raises(Problem) as caught:
            await backups.take(platform.node, platform.who["dpo"])
        assert caught.value.code == "access-role"
        transport = httpx.ASGITransport(management.app(platform.node))
        async with httpx.AsyncClient(transport=transport, base_url="http://n") as client:
            bearer = {"Authorization": f"Bearer {secret}"}
            answer = await client.post("/v1/backups", json={}, headers=bearer)
        (tmp_path / "b.tar").write_bytes(answer.content)
        index = await platform.node.store.read(leaves.next_index)
        row = await platform.node.store.read(lambda tx: leaves.get(tx, index=index - 1))
    assert row.private_body["body"]["change"] == "backup-taken"
    manifest = restoring.verify(tmp_path / "b.tar")
    assert manifest["leaves"] == index
    assert "keys.sealed" not in members(tmp_path / "b.tar")
    assert not list(folder.glob("backup-*"))


async def test_it_is_one_snapshot_while_the_node_goes_on(opening, copy_of, tmp_path: Path):
    """What is written after the copy does not change what leaves, and nothing waits."""
    async with opening(copy_of("platform")) as platform:
        node = platform.node
        chunks = await backups.take(node, platform.who["operator"])
        first = next(chunks)
        size = await node.store.read(leaves.next_index)
        assert list(await backups.take(node, platform.who["operator"]))  # meanwhile, another
        (tmp_path / "b.tar").write_bytes(first + b"".join(chunks))
    assert restoring.verify(tmp_path / "b.tar")["leaves"] == size


async def test_received_files_are_in_it_when_they_are_finished(paired, tmp_path: Path):
    async with paired() as (platform, lab):
        await platform.release()
        problem = await fetch_all(lab, parts=1)
        assert problem is None
        half = await backups.take(lab.node, lab.who["operator"])
        (tmp_path / "half.tar").write_bytes(b"".join(half))
        assert await fetch_all(lab) is None
        whole = await backups.take(lab.node, lab.who["operator"])
        (tmp_path / "whole.tar").write_bytes(b"".join(whole))
    assert not [name for name in members(tmp_path / "half.tar") if name.startswith("received/")]
    names = {name.rpartition("/")[2] for name in members(tmp_path / "whole.tar")}
    assert {"data.ndjson", "manifest.json", "receipt.json", "agreement.fr.txt"} < names


# ------------------------------------------------------------------ when it cannot be made


def test_nothing_is_ever_written_over(copy_of, tmp_path: Path):
    out = tmp_path / "b.tar"
    out.write_text("mine")
    with pytest.raises(Problem) as caught:
        back_up(copy_of("lab"), out)
    assert caught.value.code == "file-exists"
    assert out.read_text() == "mine"


def test_a_missing_revision_is_told_and_nothing_remains(copy_of, tmp_path: Path):
    folder, out = copy_of("platform"), tmp_path / "b.tar"
    shutil.rmtree(next(path for path in (folder / "data").glob("*/*")))
    with pytest.raises(Problem) as caught:
        back_up(folder, out)
    assert caught.value.code == "backup-file-missing"
    assert not out.exists()
    assert not [path.name for path in tmp_path.rglob("*.partial")]


def test_a_stream_that_breaks_off_leaves_nothing(copy_of, tmp_path: Path):
    folder, out = copy_of("lab"), tmp_path / "b.tar"

    def broken(file):
        file.write(b"half")
        raise Problem("cli-broken-answer", url="http://n", fault="RemoteProtocolError")

    with NodeLock(folder), pytest.raises(Problem) as caught:
        operating.back_up(out, broken, folder=folder, passphrase=None)
    assert caught.value.code == "cli-broken-answer"
    assert [path.name for path in tmp_path.iterdir()] == ["lab"]


def test_a_cut_stream_that_looks_whole_is_found_and_removed(copy_of, tmp_path: Path):
    folder, out, whole = copy_of("lab"), tmp_path / "b.tar", tmp_path / "whole.tar"
    back_up(folder, whole)

    def cut(file):
        file.write(whole.read_bytes()[:-4096])

    with NodeLock(folder), pytest.raises(Problem) as caught:
        operating.back_up(out, cut, folder=folder, passphrase=None)
    assert caught.value.code in {"backup-damaged", "backup-unreadable"}
    assert not out.exists()


def test_keys_never_come_over_the_network(tmp_path: Path):
    with pytest.raises(Problem) as caught:
        operating.back_up(tmp_path / "b.tar", offline, folder=None, passphrase=PASSPHRASE)
    assert caught.value.code == "backup-keys-elsewhere"


@pytest.mark.parametrize("passphrase", ["", "short"])
def test_a_short_passphrase_is_refused(passphrase: str, copy_of, tmp_path: Path):
    with pytest.raises(Problem) as caught:
        back_up(copy_of("lab"), tmp_path / "b.tar", passphrase)
    assert caught.value.code == "identity-passphrase-short"
    assert not (tmp_path / "b.tar").exists()


# ------------------------------------------------------------------ restoring


def test_a_restored_node_is_the_same_node(folders, copy_of, tmp_path: Path, archives):
    folder, out, new = copy_of("platform"), tmp_path / "b.tar", tmp_path / "new"
    (folder / "templates").mkdir()
    (folder / "templates" / "our-own.json").write_text("{}")
    (folder / "templates" / "Not a name.json").write_text("{}")
    back_up(folder, out, PASSPHRASE)
    done = operating.restore(out, new, Restoring(PASSPHRASE))
    assert done["log"] == done["leaves"]
    assert new.stat().st_mode & 0o777 == 0o700
    for path in new.rglob("*"):
        assert path.is_dir() or path.parts[-2] == "log" or path.stat().st_mode & 0o077 == 0
    for name in ("preau.toml", "consent.journal", "tokens/operator"):
        assert (new / name).read_bytes() == (folder / name).read_bytes()
    for tree in ("keys", "data"):
        for path in (folder / tree).rglob("*"):
            if path.is_file():
                assert (new / path.relative_to(folder)).read_bytes() == path.read_bytes()
    assert [path.name for path in (new / "templates").iterdir()] == ["our-own.json"]
    assert KeyRing.load(new / "keys").versions == KeyRing.load(folder / "keys").versions
    assert not list(tmp_path.glob("*.partial"))


def test_keys_may_come_from_their_escrow(copy_of, tmp_path: Path):
    folder, out = copy_of("lab"), tmp_path / "b.tar"
    back_up(folder, out)
    escrow = tmp_path / "keys.sealed"
    escrow.write_bytes(operating.sealed_keys(folder, PASSPHRASE))
    assert vault.unseal(escrow.read_bytes(), PASSPHRASE).keys() == {
        path.name for path in (folder / "keys").iterdir()
    }
    assert refusal(out, tmp_path / "new", Restoring(PASSPHRASE)).code == "backup-keys-missing"
    operating.restore(out, tmp_path / "new", Restoring(PASSPHRASE, keys=escrow))
    assert not (tmp_path / "new" / "tokens").exists()


def test_a_wrong_passphrase_opens_nothing(archives, tmp_path: Path):
    archive, new = archives["lab"], tmp_path / "new"
    assert refusal(archive, new, Restoring()).code == "backup-passphrase"
    other = Restoring("another passphrase")
    assert refusal(archive, new, other).code == "identity-sealed-passphrase"


def test_only_into_a_new_folder(archives, tmp_path: Path):
    new = tmp_path / "new"
    new.mkdir()
    (new / "mine").touch()
    found = refusal(archives["lab"], new, Restoring(PASSPHRASE))
    assert found.code == "runtime-folder-not-empty"
    (new / "mine").unlink()
    operating.restore(archives["lab"], new, Restoring(PASSPHRASE))


def _flip(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        content = bytearray(found[name])
        content[len(content) // 2] ^= 1
        found[name] = bytes(content)

    return change


@pytest.mark.parametrize("name", ["preau.sqlite", "consent.journal", "preau.toml", "rows.bin"])
def test_a_changed_byte_is_found(name: str, archives, tmp_path: Path):
    archive = archives["platform"]
    full = next(found for found in members(archive) if found.endswith(name))
    changed = repacked(archive, tmp_path / "changed.tar", _flip(full))
    found = refusal(changed, tmp_path / "new", Restoring(PASSPHRASE))
    assert (found.code, found.params["file"]) == ("backup-damaged", full)


def test_a_changed_byte_in_the_keys_is_found(archives, tmp_path: Path):
    changed = repacked(archives["lab"], tmp_path / "changed.tar", _flip("keys.sealed"))
    found = refusal(changed, tmp_path / "new", Restoring(PASSPHRASE))
    assert found.code in {"identity-sealed-passphrase", "identity-sealed-invalid"}


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/etc/outside",
        "data/../../outside",
        "data/x/.ssh",
        "keys/token-1.pem",
        "tokens/operator",
        "node.lock",
        "received/a/b/c/d",
        "data/x",
        "templates/../x.json",
        "templates/x/y.json",
    ],
)
def test_members_with_other_names_are_refused(name: str, archives, tmp_path: Path):
    changed = repacked(
        archives["lab"], tmp_path / "changed.tar", lambda found: found.update({name: b"x"})
    )
    found = refusal(changed, tmp_path / "new", Restoring(PASSPHRASE))
    assert found.code == "backup-damaged"


def test_links_are_refused(archives, tmp_path: Path):
    changed = tmp_path / "changed.tar"
    with tarfile.open(changed, "w") as tar:
        info = tarfile.TarInfo("data/x/y/rows.bin")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    assert refusal(changed, tmp_path / "new", Restoring(PASSPHRASE)).code == "backup-damaged"


@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"\x1f\x8b" + b"x" * 600, b"\0" * 1024, None]
)
def test_what_is_no_backup_is_refused(content: bytes | None, tmp_path: Path):
    path = tmp_path / "b.tar"
    if content is not None:
        path.write_bytes(content)
    found = refusal(path, tmp_path / "new", Restoring(PASSPHRASE))
    assert found.code in {"backup-unreadable", "backup-damaged"}


def test_a_missing_or_added_file_is_found(archives, tmp_path: Path):
    archive = archives["platform"]
    full = next(found for found in members(archive) if found.endswith("hashes.bin"))
    changes: list[Callable[[dict[str, bytes]], object]] = [
        lambda found: found.pop(full),
        lambda found: found.update({"data/more/x/rows.bin": b"x"}),
        lambda found: found.pop("manifest.json"),
        lambda found: found.update({"manifest.json": b"{}"}),
    ]
    for number, change in enumerate(changes):
        changed = repacked(archive, tmp_path / f"{number}.tar", change)  # type: ignore[arg-type]
        found = refusal(changed, tmp_path / "new", Restoring(PASSPHRASE))
        assert found.code == "backup-damaged"


def test_a_database_altered_with_its_digest_is_still_found(archives, tmp_path: Path):
    """Whoever can write a manifest cannot sign a checkpoint."""

    def change(found: dict[str, bytes]) -> None:
        path = tmp_path / "altered.sqlite"
        path.write_bytes(found["preau.sqlite"])
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE leaf SET bytes = ? WHERE idx = 3", (b"{}",))
        connection.close()
        found["preau.sqlite"] = path.read_bytes()
        manifest = json.loads(found["manifest.json"])
        entry = next(one for one in manifest["files"] if one["path"] == "preau.sqlite")
        digest = hashlib.sha256(found["preau.sqlite"]).hexdigest()
        entry |= {"size": len(found["preau.sqlite"]), "digest": f"sha-256:{digest}"}
        found["manifest.json"] = json.dumps(manifest).encode()

    changed = repacked(archives["platform"], tmp_path / "changed.tar", change)
    (tmp_path / "altered.sqlite").unlink()
    # The backup is an older release's: its log is checked when this one upgrades it.
    operating.restore(changed, tmp_path / "new", Restoring(PASSPHRASE))
    with pytest.raises(Problem) as caught:
        operating.upgrade(tmp_path / "new")
    assert caught.value.code == "evidence-log-disagrees"


# ------------------------------------------------------------------ places of the settings


def test_files_go_where_the_settings_want_them(copy_of, tmp_path: Path):
    folder, elsewhere = copy_of("lab"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(folder / "consent.journal", elsewhere / "c.journal")
    shutil.move(folder / "preau.sqlite", elsewhere / "n.sqlite")
    with (folder / "preau.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[store]\nurl = "sqlite:///{elsewhere}/n.sqlite"\n')
        file.write(f'\n[consent]\njournal = "{elsewhere}/c.journal"\n')
    configuration.read(folder)
    out = tmp_path / "b.tar"
    back_up(folder, out, PASSPHRASE)
    found = refusal(out, tmp_path / "new", Restoring(PASSPHRASE))
    assert found.code == "backup-place-taken"
    before = (elsewhere / "c.journal").read_bytes()
    (elsewhere / "n.sqlite").unlink()
    done = operating.restore(out, tmp_path / "new", Restoring(PASSPHRASE))
    assert (elsewhere / "n.sqlite").exists()
    assert (elsewhere / "c.journal").read_bytes() == before
    assert done["survived"] == 0


async def test_a_restored_consumer_fetches_from_the_start(opening, copy_of, folders):
    """The half-fetched file was not in the backup: nothing is missing at the end."""
    async with pair(opening, copy_of("platform"), copy_of("lab")) as (platform, lab):
        await platform.release()
        assert await fetch_all(lab) is None
        assert (await lab.progress()).files


async def test_what_a_crash_left_is_swept_at_the_next_start(opening, copy_of):
    folder = copy_of("lab")
    (folder / "backup-0000.partial").write_bytes(b"half")
    async with opening(folder):
        assert not list(folder.glob("backup-*"))
