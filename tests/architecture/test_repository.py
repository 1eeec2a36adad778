"""What the repository may not say, and what its locks must."""

import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.source import PACKAGES, ROOT, files, imports, modules

# This file is the only one that may spell what is forbidden.
FORBIDDEN = {
    "a package registry": r"pypi\.org|pythonhosted\.org|registry\.npmjs|maven\.org|repo1\.maven",
    "a folder of one machine": r"(?<![\w.])/(?:work|root|home)/",
}
BESIDE = re.compile(r"\.\./shared")
MAY_NAME_WHAT_LIES_BESIDE = {"Makefile", ".ci/run"}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError")


@cache
def texts() -> dict[str, str]:
    """Every text file of the project but this one, by path."""
    found = {}
    for path in files():
        if path != Path(__file__).resolve():
            try:
                found[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
            except UnicodeDecodeError:
                continue
    return found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str):
    assert [path for path, text in texts().items() if re.search(FORBIDDEN[what], text)] == []


def test_only_makefile_and_ci_know_what_lies_beside_the_project():
    found = {path for path, text in texts().items() if BESIDE.search(text)}
    assert found <= MAY_NAME_WHAT_LIES_BESIDE


def test_nothing_is_left_unfinished():
    code = {path: text for path, text in texts().items() if path.endswith(".py")}
    assert [path for path, text in code.items() if UNFINISHED.search(text)] == []


def test_the_repository_stays_small():
    assert [str(path) for path in files() if path.stat().st_size > 1_000_000] == []


# ---------------------------------------------------------------------------------------- locks


@cache
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@cache
def lock(name: str) -> dict[str, tuple[str, int]]:
    """Distribution -> (pinned version, number of hashes)."""
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text("utf-8"))
    found: dict[str, tuple[str, int]] = {}
    for entry in entries:
        requirement = Requirement(entry.partition("\\")[0])
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), entry[:80]
        version = str(requirement.specifier)[2:]
        found[canonicalize_name(requirement.name)] = (version, entry.count("--hash=sha256:"))
    return found


LOCKS = {
    "requirements.lock": lambda: project()["project"]["dependencies"],
    "requirements-build.lock": lambda: project()["dependency-groups"]["build"],
    "requirements-dev.lock": lambda: (
        project()["project"]["dependencies"] + project()["dependency-groups"]["dev"]
    ),
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_what_the_project_asks_for(name: str):
    for requirement in map(Requirement, LOCKS[name]()):
        version, _ = lock(name)[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}: run 'make lock'"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_addresses(name: str):
    assert all(hashes for _, hashes in lock(name).values())
    assert "://" not in (ROOT / name).read_text("utf-8")


def test_the_locks_agree():
    everything: dict[str, str] = {}
    for name in LOCKS:
        for distribution, (version, _) in lock(name).items():
            assert everything.setdefault(distribution, version) == version
    assert lock("requirements.lock").keys() <= lock("requirements-dev.lock").keys()


def test_the_packages_import_only_what_they_declare():
    about = project()["project"]
    extras = [line for lines in about["optional-dependencies"].values() for line in lines]
    declared = {
        canonicalize_name(Requirement(line).name) for line in (*about["dependencies"], *extras)
    }
    owners = packages_distributions()
    ours = sys.stdlib_module_names | {*PACKAGES, "_typeshed"}  # the last for type checkers only
    found = set()
    for module in modules():
        for name, line in imports(module):
            root = name.partition(".")[0]
            owned = {canonicalize_name(owner) for owner in owners.get(root, [])}
            if root not in ours and not owned & declared:
                found.add(f"{module.where}:{line} imports {root}")
    assert sorted(found) == []
