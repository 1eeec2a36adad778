"""A mutation run by hand: `python -m tests.tools.mutate policies/judge.py …` (docs/mutation.md).

Each mutant changes one place of one module: a comparison, a logical word, a negation, a constant,
a returned value, a sign. It is loaded in a process of its own, forked from one that has imported
everything *but* this project: so every module and every test meets the mutant from the start, and
no part of the true module is left anywhere. The tests run until one fails, tables first and
properties last. A mutant that nothing notices *survives* and is printed with its place.

`policies/judge.py:40:41` runs only the mutants of these lines, and `--tables` leaves the properties
out: both to try new tests, never for a figure.
"""

import ast
import copy
import gc
import importlib
import os
import resource
import statistics
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from tempfile import TemporaryFile
from types import CodeType
from typing import Any, Final

import hypothesis
import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
TESTS: Final = ROOT / "tests" / "policies"
EVALUATOR: Final = tuple(
    f"test_{name}.py"
    for name in (
        *("evaluate", "evidence", "times", "world", "inheritance", "many", "w3c"),
        *("questions", "vocabulary", "properties"),
    )
)
COMPILER: Final = ("test_plan*.py", "test_standing.py")
CPU_SECONDS: Final = 60
"""What a mutant may use (the whole tests need about 5); an endless loop is noticed by it."""
MEMORY: Final = 2 << 30
TABLES: Final = "--tables"
SURVIVED: Final = 10
NOT_LOADED: Final = 11

_SWAPS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def mutants(tree: ast.Module) -> Iterator[tuple[ast.Module, int, str]]:
    """Every mutant of a module: its tree, the line changed, and what was changed."""
    skipped = _skipped(tree)
    places = [node for node in ast.walk(tree) if id(node) not in skipped]
    indexes = {id(node): index for index, node in enumerate(ast.walk(tree))}
    for node in places:
        for number, (_, said) in enumerate(_changes(node)):
            copied = copy.deepcopy(tree)
            twin = list(ast.walk(copied))[indexes[id(node)]]
            change = list(_changes(twin))[number][0]
            change()
            yield ast.fix_missing_locations(copied), getattr(node, "lineno", 0), said


def _skipped(tree: ast.Module) -> set[int]:
    """Annotations and types, imports, docstrings, `__all__`, decorators, refusals: no answer
    depends on them, or they are texts.
    """
    roots = [root for node in ast.walk(tree) for root in _without_behaviour(node)]
    return {id(each) for root in roots for each in ast.walk(root)}


def _without_behaviour(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Raise():
            yield node
        case ast.AnnAssign() | ast.arg() if node.annotation is not None:
            yield node.annotation
        case ast.FunctionDef():
            yield from (*node.decorator_list, *([node.returns] if node.returns else []))
        case ast.ClassDef():
            yield from node.decorator_list
        case ast.Expr(value=ast.Constant()):
            yield node
        case ast.Assign() if ast.unparse(node.targets[0]) == "__all__":
            yield node
        case ast.Subscript(value=ast.Name("Literal")) | ast.Call(func=ast.Name("TypeVar")):
            yield node
        case _:
            pass


def _changes(node: ast.AST) -> Iterator[tuple[Any, str]]:
    """What can be changed at one node: a function that does it, and words for it."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            new = _SWAPS[type(operator)]

            def swap(index: int = index, new: type[ast.cmpop] = new) -> None:
                node.ops[index] = new()

            yield swap, f"{type(operator).__name__} -> {new.__name__}"
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield lambda: setattr(node, "op", other()), f"-> {other.__name__}"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        doubled = ast.UnaryOp(ast.Not(), node.operand)
        yield lambda: setattr(node, "operand", doubled), "not x -> x"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        sign = ast.Sub if isinstance(node.op, ast.Add) else ast.Add
        yield lambda: setattr(node, "op", sign()), f"-> {sign.__name__}"
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Return) and not _is_none(node.value):
        yield lambda: setattr(node, "value", ast.Constant(None)), "return None"
    elif isinstance(node, ast.IfExp | ast.If):
        negated = ast.UnaryOp(ast.Not(), node.test)
        yield lambda: setattr(node, "test", negated), "if negated"


def _constants(node: ast.Constant) -> Iterator[tuple[Any, str]]:
    value = node.value
    if isinstance(value, bool):
        yield lambda: setattr(node, "value", not value), f"{value} -> {not value}"
    elif isinstance(value, int):
        yield lambda: setattr(node, "value", value + 1), f"{value} -> {value + 1}"
    elif isinstance(value, str):
        yield lambda: setattr(node, "value", value + "~"), f"{value!r} changed"


def _is_none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


class _Loader(SourceFileLoader):
    """Loads one module from a changed tree."""

    tree: ast.Module

    def get_code(self, fullname: str) -> CodeType:
        """The changed code, never a cached one."""
        return compile(self.tree, self.path, "exec")


class _Finder:
    """Finds one module, and gives it its changed source."""

    def __init__(self, file: str, tree: ast.Module) -> None:
        self._name, self._path = _name(file), str(ROOT / file)
        self._loader = _Loader(self._name, self._path)
        self._loader.tree = tree

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The import system's question."""
        if name != self._name:
            return None
        return spec_from_file_location(name, self._path, loader=self._loader)

    def is_loaded(self) -> bool:
        """Whether the tests met the mutant at all."""
        return getattr(sys.modules.get(self._name), "__loader__", None) is self._loader


class _TablesFirst:
    """A pytest plugin: a table notices sooner than a property."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Stable: otherwise as collected."""
        items.sort(key=_is_property)
        if self._alone:
            items[:] = [item for item in items if not _is_property(item)]


def _is_property(item: pytest.Item) -> bool:
    return hypothesis.is_hypothesis_test(getattr(item, "obj", None))


def _name(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _passes(file: str) -> bool:
    """Whether every test that is relevant to a module passes, in this process."""
    is_plan = file.startswith("policies/plan/")
    if not is_plan:
        cases = importlib.import_module("tests.policies.test_cases")
        for name in cases.CASES:
            cases.test_case(name)
    patterns = COMPILER if is_plan else EVALUATOR
    files = [str(path) for pattern in patterns for path in sorted(TESTS.glob(pattern))]
    options = ["-x", "-q", "--assert=plain", "--hypothesis-profile=mutation"]
    options += ["-p", "no:cacheprovider", "-p", "no:faulthandler"]
    return (
        pytest.main([*options, *files], plugins=[_TablesFirst(alone=TABLES in sys.argv)])
        == pytest.ExitCode.OK
    )


def _child(file: str, tree: ast.Module, told: int | None) -> int:
    """The exit code of a process that runs the tests on one tree; 0 when they noticed."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    finder = _Finder(file, tree)
    sys.meta_path.insert(0, finder)
    try:
        passes = _passes(file)
    except BaseException:  # noqa: BLE001  (whatever a mutant does, it was noticed)
        return 0
    if told is not None:
        os.write(told, "\n".join(name for name in list(sys.modules) if not _is_ours(name)).encode())
    if not passes:
        return 0
    return SURVIVED if finder.is_loaded() else NOT_LOADED


def _run(file: str, tree: ast.Module, told: int | None = None) -> tuple[str, float]:
    """killed, survived, timeout (which is noticed too) or not loaded; and the CPU seconds."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            code = _child(file, tree, told)
        finally:
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    states = {SURVIVED: "survived", NOT_LOADED: "not loaded", 0: "killed"}
    return states.get(ended, "timeout"), usage.ru_utime + usage.ru_stime


def _is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in {
        "policies",
        "catalog",
        "connector",
        "tests",
        "conftest",
    }


def _preload(file: str) -> None:
    """Import what the tests of a module import, except this project: each child then has it."""
    if any(name.split(".")[0] == "policies" for name in sys.modules):
        raise RuntimeError("the driver itself must not import policies")
    with TemporaryFile() as told:
        state, seconds = _run(file, ast.parse((ROOT / file).read_text("utf-8")), told.fileno())
        told.seek(0)
        names = told.read().decode().split("\n")
    _say(f"{file}: unchanged, the tests {state} ({seconds:.1f} s)")
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _report(file: str, lines: frozenset[int]) -> bool:
    """Run the mutants of a module; False where the tests fail without any change."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    _preload(file)
    if (baseline := _run(file, tree)[0]) != "survived":
        _say(f"{file}: refused, on the unchanged module the tests end as: {baseline}")
        return False
    counts = {"killed": 0, "timeout": 0, "survived": 0, "not loaded": 0}
    spent: list[float] = []
    for changed, line, said in mutants(tree):
        if lines and line not in lines:
            continue
        state, seconds = _run(file, changed)
        counts[state] += 1
        spent.append(seconds)
        if state in {"survived", "not loaded"}:
            _say(f"  {state} {file}:{line}: {said}")
    noticed, total = counts["killed"] + counts["timeout"], len(spent)
    _say(
        f"| `{file}` | {total} | {noticed} ({100 * noticed / max(total, 1):.1f} %) |"
        f" {counts['timeout']} by their time; CPU {statistics.median(spent or [0]):.2f} s at the"
        f" median, {sum(spent):.0f} s in all"
    )
    return True


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Run all mutants of the files named; survivors and counts go to standard error."""
    hypothesis.settings.register_profile(  # as the tests' own, without making failures small
        "mutation",
        derandomize=True,
        deadline=None,
        max_examples=30,
        database=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        report_multiple_bugs=False,
    )
    good = True
    for argument in (each for each in arguments if each != TABLES):
        file, *lines = argument.split(":")
        good &= _report(file, frozenset(map(int, lines)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
