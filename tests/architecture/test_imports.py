"""Who may import what, beyond the layers that import-linter holds (pyproject.toml)."""

import ast
import subprocess
import sys

from tests.support.source import ROOT, Module, cycles, graph, imports, modules

PURE = ("policies", "connector.protocol")
PURE_LIBRARIES = {"orjson", "rfc8785"}
IMPURE_STANDARD = {
    "asyncio", "concurrent", "ftplib", "http", "logging", "multiprocessing", "os", "pathlib",
    "queue", "random", "secrets", "selectors", "shutil", "signal", "smtplib", "socket", "sqlite3",
    "ssl", "subprocess", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
IMPURE_CALLS = {"open", "input", "print", "eval", "exec", "__import__"}


def pure() -> list[Module]:
    """The modules that may not touch the world."""
    return [m for m in modules() if any(f"{m.name}.".startswith(f"{room}.") for room in PURE)]


def test_no_module_takes_part_in_an_import_cycle():
    assert cycles(graph()) == []


def test_no_room_takes_part_in_an_import_cycle():
    rooms: dict[str, set[str]] = {}
    for name, targets in graph().items():
        room = ".".join(name.split(".")[:2])
        rooms.setdefault(room, set()).update(".".join(t.split(".")[:2]) for t in targets)
    assert cycles({room: targets - {room} for room, targets in rooms.items()}) == []


def test_cycles_are_found():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert cycles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_the_core_imports_nothing_that_touches_the_world():
    found = [
        f"{module.where}:{line} imports {name}"
        for module in pure()
        for name, line in imports(module)
        if _impure(name)
    ]
    assert found == []


def _impure(name: str) -> bool:
    if any(f"{name}.".startswith(f"{banned}.") for banned in IMPURE_STANDARD):
        return True
    root = name.partition(".")[0]
    allowed = {*PURE_LIBRARIES, "policies", "connector", "_typeshed"}  # the last for type checkers
    return root not in sys.stdlib_module_names | allowed


def test_the_core_opens_and_prints_nothing():
    found = [
        f"{module.where}:{node.lineno} calls {node.func.id}"
        for module in pure()
        for node in module.nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in IMPURE_CALLS
    ]
    assert found == []


def test_the_core_runs_no_coroutines():
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    found = [m.where for m in pure() for node in m.nodes if isinstance(node, kinds)]
    assert found == []


def test_importing_the_policies_brings_in_nothing_heavy():
    names = [module.name for module in modules("policies")]
    heavy = {"asyncio", "fastapi", "httpx", "pydantic", "pyld", "rdflib", "socket", "sqlalchemy"}
    script = f"import sys, {', '.join(names)}; print(*sorted({heavy!r} & sys.modules.keys()))"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.stdout.strip(), run.stderr) == ("", "")
