"""docs/operating.md followed command by command, in a folder that stands for the machine's root.

What needs root or the network is replaced and nothing else: users and owners (`useradd`, `sudo`,
`chown`, `install -o`), the service manager (its commands start and stop what the unit file says),
and the installation, which is that of these tests.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nodes import NodeProcess, free_port, preau
from tests.support.source import ROOT

PAGE = ROOT / "docs" / "operating.md"
PLACES = ("/srv/preau", "/opt/preau", "/etc/preau", "/etc/systemd", "/backup", "/usr/local/bin")
UNKNOWN_HERE = {"public-url", "tls"}  # data.example.org is not ours
SHIMS = {
    "useradd": 'mkdir -p "$R/srv/preau" "$R/etc/systemd/system" "$R/usr/local/bin"',
    "sudo": 'shift 2; exec "$@"',
    "chown": ":",
    "install": 'exec /usr/bin/install -d -m 700 "$R/backup" "$R/etc/preau"',
    "systemctl": r"""
        unit="$R/etc/systemd/system/preau-univ.service"
        case "$*" in
          daemon-reload) ;;
          "enable --now preau-univ"|"start preau-univ")
            $(sed -n s/^ExecStart=//p "$unit") --background > "$R/pid" ;;
          "stop preau-univ")
            kill "$(cat "$R/pid")"; while kill -0 "$(cat "$R/pid")" 2>&-; do :; done ;;
          *) echo "systemctl $*?" >&2; exit 2 ;;
        esac""",
}
pytestmark = pytest.mark.slow


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """A root with the shims; the node that runs at the end is stopped."""
    for name, text in SHIMS.items():
        shim = tmp_path / "shims" / name
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(f"#!/bin/bash\n{text}\n", "utf-8")
        shim.chmod(0o755)
    yield tmp_path
    if (tmp_path / "pid").exists():
        pid = (tmp_path / "pid").read_text().strip()
        subprocess.run(["kill", pid], check=False, capture_output=True)


def translated(block: str, root: Path, ports: tuple[int, int]) -> str:
    """A block for this machine: other places, free ports, our own installation."""
    lines = block.replace("\\\n", " ").splitlines()
    kept = [line for line in lines if "/bin/pip install" not in line]
    text = "\n".join("PREAU_INSTALL" if "-m venv" in line else line for line in kept)
    for place in PLACES:
        text = text.replace(place, f"{root}{place}")
    installed = f"mkdir -p {root}/opt/preau/bin; ln -s {preau_command()} {root}/opt/preau/bin/preau"
    where = f"--listen 127.0.0.1:{ports[0]} --management 127.0.0.1:{ports[1]}"
    text = text.replace("PREAU_INSTALL", installed).replace("--public-url", f"{where} --public-url")
    return re.sub(r"(preau doctor .*)$", r"\1 || [ $? = 1 ]", text, flags=re.MULTILINE)


def preau_command() -> Path:
    return Path(sys.executable).with_name("preau")


def test_the_page_followed_command_by_command(machine: Path):
    ports = free_port(), free_port()
    path = f"{machine}/shims:{machine}/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "R": str(machine), "LANG": "C.UTF-8", "HOME": str(machine)}
    for block in blocks():
        done = subprocess.run(
            ["bash", "-euc", translated(block, machine, ports)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
    node = NodeProcess(machine / "srv/preau/univ", *ports, "did:web:data.example.org")
    assert node.healthy()
    report = json.loads(preau("doctor", node.folder, "--json").out)
    failed = {one["check"] for one in report["checks"] if one["level"] != "ok"}
    assert failed <= UNKNOWN_HERE, report
    for secret in ("backup", "etc/preau/passphrase", "srv/preau/dpo.token", "srv/preau/univ"):
        assert (machine / secret).stat().st_mode & 0o077 == 0, secret
    assert "nœud" in preau("doctor", node.folder).out  # made with --lang fr
