"""What a kit is told of a connector: the official kit's own properties, as a file.

Where the connector is, how it is started, where the other participant listens, and by scenario
which dataset, offer or agreement the connector was given for it (`docs/conformance`).
"""

from pathlib import Path

KIT = "dataspacetck"


class Properties(dict[str, str]):
    """Values by name; one that is asked for and missing says so."""

    def __missing__(self, name: str) -> str:
        raise AssertionError(f"the connector's properties do not say {name}")


def read(path: Path) -> Properties:
    """A file of properties, as far as kits' files go."""
    lines = (line.strip() for line in path.read_text("latin-1").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and line[0] not in "#!")
    return Properties(
        {name.strip(): value.strip().strip('"').replace("\\", "") for name, value in pairs}
    )


def write(path: Path, properties: Properties) -> None:
    """A file that `read`, and the official kit, read."""
    lines = (f"{name}={_escaped(value)}" for name, value in properties.items())
    path.write_text("\n".join(lines) + "\n", "latin-1")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
