"""A mutation run by hand: `python -m tests.tools.mutate policies/judge.py …` (docs/mutation.md).

Each mutant changes one place of one module: a comparison, a logical word, a negation, a constant,
a returned value, a sign. It runs in a process of its own, in one of two ways. A change inside
functions is put into them, the very objects that everything refers to, after the tests were
collected and with all caches emptied. Any other change (a table, a default) is imported, with this
whole project and its tests, by a process forked from one that had imported everything else. Either
way no part of the true code is left beside the mutant, and a run whose unchanged module fails is
refused. The tests run until one fails, the module's own first and properties last. A mutant that
nothing notices *survives* and is printed with its place.

`policies/judge.py:40:41` runs only the mutants of these lines, and `--tables` leaves the properties
out: both to try new tests, never for a figure.
"""

import ast
import copy
import gc
import importlib
import json
import os
import resource
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import _lru_cache_wrapper, partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from inspect import CO_OPTIMIZED
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryFile
from types import CodeType, FunctionType
from typing import Any, Final

import hypothesis
import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
TESTS: Final = ROOT / "tests" / "policies"
EVALUATOR: Final = tuple(
    f"test_{name}.py"
    for name in (
        *("evaluate", "decision", "evidence", "times", "world", "inheritance", "many", "w3c"),
        *("questions", "vocabulary", "properties"),
    )
)
COMPILER: Final = ("test_plan*.py", "test_standing.py")
CPU_SECONDS: Final = 60
"""What a mutant may use (the whole tests need about 5); an endless loop is noticed by it."""
MEMORY: Final = 2 << 30
TABLES: Final = "--tables"
Result = tuple[str, float]
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


# --- one process for each mutant -----------------------------------------------------------------


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

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Stable: otherwise as collected."""
        items.sort(key=_is_property)
        if TABLES in sys.argv:
            items[:] = [item for item in items if not _is_property(item)]


class _Swapped(_TablesFirst):
    """A pytest plugin that, once the tests are collected, runs them for each mutant in turn."""

    def __init__(self, file: str, tried: "list[Mutant]", results: dict[int, Result]) -> None:
        self._file, self._tried, self._results = file, tried, results

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of running the tests once."""
        functions = _functions(str(ROOT / self._file))
        for each in gc.get_objects():
            if isinstance(each, _lru_cache_wrapper):
                each.cache_clear()
        gc.collect()
        gc.freeze()
        killer = mmap(-1, 4)
        tables = [item for item in session.items if not _is_property(item)]
        unchanged = Mutant(self._file, ast.Module([], []), 0, "", {})
        run = partial(_swap_and_run, session, tables, functions, unchanged, killer)
        if _forked(run)[0] != "survived":
            return True  # then every mutant is imported
        for index, mutant in enumerate(self._tried):
            if mutant.swaps and mutant.swaps.keys() <= functions.keys():
                killer[:] = bytes(4)
                run = partial(_swap_and_run, session, session.items, functions, mutant, killer)
                self._results[index] = _forked(run)
                # What noticed one mutant notices its neighbours.
                session.items.insert(0, session.items.pop(int.from_bytes(killer[:])))
        return True


def _is_property(item: pytest.Item) -> bool:
    return hypothesis.is_hypothesis_test(getattr(item, "obj", None))


def _name(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _functions(path: str) -> dict[str, list[FunctionType]]:
    """Every function made by a file, by its qualified name."""
    found: dict[str, list[FunctionType]] = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename == path:
            found.setdefault(each.__code__.co_qualname, []).append(each)
    return found


def _swap_and_run(
    session: pytest.Session,
    items: list[pytest.Item],
    functions: dict[str, list[FunctionType]],
    mutant: "Mutant",
    killer: mmap,
) -> int:
    for name, code in (mutant.swaps or {}).items():
        for function in functions[name]:
            function.__code__ = code
    try:
        passes = _cases_pass(mutant.file) and _items_pass(session, items, killer)
    except BaseException:  # noqa: BLE001  (whatever a mutant does, it was noticed)
        return 0
    return SURVIVED if passes else 0


def _items_pass(session: pytest.Session, items: list[pytest.Item], killer: mmap) -> bool:
    """Whether all pass; otherwise `killer` holds the place of the first that fails."""
    for index, item in enumerate(items):
        following = items[index + 1] if index + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            killer[:] = index.to_bytes(4)
            return False
    return bool(items)


def _is_plan(file: str) -> bool:
    return file.startswith("policies/plan/")


def _cases_pass(file: str) -> bool:
    """The evaluator's cases, called as they are, for speed."""
    if not _is_plan(file):
        cases = importlib.import_module("tests.policies.test_cases")
        for name in cases.CASES:
            cases.test_case(name)
    return True


def _pytest(file: str, plugin: _TablesFirst) -> bool:
    patterns = COMPILER if _is_plan(file) else EVALUATOR
    paths = [path for pattern in patterns for path in sorted(TESTS.glob(pattern))]
    paths.sort(key=lambda path: Path(file).stem not in path.stem)  # its own tests first
    files = [str(path) for path in paths]
    options = ["-x", "-q", "-s", "--tb=no", "--assert=plain", "--hypothesis-profile=mutation"]
    options += ["-p", "no:cacheprovider", "-p", "no:faulthandler"]
    return pytest.main([*options, *files], plugins=[plugin]) == pytest.ExitCode.OK


def _import_and_run(file: str, tree: ast.Module, told: int | None = None) -> int:
    """The exit code of a process that runs the tests on one tree; 0 when they noticed."""
    finder = _Finder(file, tree)
    sys.meta_path.insert(0, finder)
    try:
        passes = _cases_pass(file) and _pytest(file, _TablesFirst())
    except BaseException:  # noqa: BLE001  (whatever a mutant does, it was noticed)
        return 0
    if told is not None:
        os.write(told, "\n".join(name for name in list(sys.modules) if not _is_ours(name)).encode())
    if not passes:
        return 0
    return SURVIVED if finder.is_loaded() else NOT_LOADED


def _forked(run: Callable[[], int]) -> Result:
    """killed, survived, timeout (which is noticed too) or not loaded; and the CPU seconds."""
    child = os.fork()
    if child == 0:
        code = NOT_LOADED
        try:
            _be_quiet()
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            code = run()
        finally:
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    states = {SURVIVED: "survived", NOT_LOADED: "not loaded", 0: "killed"}
    return states.get(ended, "timeout"), usage.ru_utime + usage.ru_stime


def _be_quiet() -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)


# --- the whole of one module ---------------------------------------------------------------------


@dataclass
class Mutant:
    """One change: where, what, and the functions whose code differs (None: more than that)."""

    file: str
    tree: ast.Module
    line: int
    said: str
    swaps: dict[str, CodeType] | None


def _differing(old: CodeType, new: CodeType) -> dict[str, CodeType] | None:
    """The functions whose code differs, by qualified name; None where anything else does."""
    if (old.co_code, old.co_names) != (new.co_code, new.co_names):
        return None
    if len(old.co_consts) != len(new.co_consts):
        return None
    found: dict[str, CodeType] = {}
    for one, other in zip(old.co_consts, new.co_consts, strict=True):
        if one == other:
            continue
        if not isinstance(one, CodeType) or not isinstance(other, CodeType) or "<" in one.co_name:
            return None
        if one.co_flags & CO_OPTIMIZED:
            found[one.co_qualname] = other
        elif (inner := _differing(one, other)) is None:
            return None
        else:
            found |= inner
    return found


def _all(file: str, whole: ast.Module, lines: frozenset[int]) -> Iterator[Mutant]:
    path = str(ROOT / file)
    true = compile(whole, path, "exec")
    for tree, line, said in mutants(whole):
        if not lines or line in lines:
            yield Mutant(file, tree, line, said, _differing(true, compile(tree, path, "exec")))


def _is_ours(name: str) -> bool:
    ours = {"policies", "catalog", "connector", "tests", "conftest"}
    return name.split(".", maxsplit=1)[0] in ours


def _preload(file: str) -> bool:
    """Whether the tests pass as they are. What they import, except this project, is imported here
    too: each child then has it.
    """
    if any(name.split(".")[0] == "policies" for name in sys.modules):
        raise RuntimeError("the driver itself must not import policies")
    with TemporaryFile() as told:
        whole = ast.parse((ROOT / file).read_text("utf-8"))
        state, seconds = _forked(lambda: _import_and_run(file, whole, told.fileno()))
        told.seek(0)
        names = told.read().decode().split("\n")
    _say(f"unchanged, the tests of {file} end as: {state} ({seconds:.1f} s)")
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    return state == "survived"


def _swapped(file: str, tried: list[Mutant]) -> dict[int, Result]:
    """The results of those mutants that differ in functions only, from one collected session."""
    with TemporaryFile("w+") as told:

        def run() -> None:
            results: dict[int, Result] = {}
            _pytest(file, _Swapped(file, tried, results))
            told.write(json.dumps(list(results.items())))
            told.flush()

        child = os.fork()
        if child == 0:
            try:
                _be_quiet()
                run()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        told.seek(0)
        return {
            index: (state, seconds) for index, (state, seconds) in json.loads(told.read() or "[]")
        }


def _report(file: str, lines: frozenset[int]) -> None:
    """Run the mutants of a module."""
    whole = ast.parse((ROOT / file).read_text("utf-8"))
    tried = list(_all(file, whole, lines))
    results = _swapped(file, tried)
    counts = {"killed": 0, "timeout": 0, "survived": 0, "not loaded": 0}
    for index, mutant in enumerate(tried):
        if results.get(index, ("not loaded", 0.0))[0] == "not loaded":
            results[index] = _forked(partial(_import_and_run, file, mutant.tree))
        state = results[index][0]
        counts[state] += 1
        if state in {"survived", "not loaded"}:
            _say(f"  {state} {file}:{mutant.line}: {mutant.said}")
    noticed, total = counts["killed"] + counts["timeout"], len(tried)
    spent = [seconds for _, seconds in results.values()] or [0.0]
    _say(
        f"| `{file}` | {total} | {noticed} ({100 * noticed / max(total, 1):.1f} %) |"
        f" {counts['timeout']} by their time; CPU {statistics.median(spent):.2f} s at the median,"
        f" {sum(spent):.0f} s in all"
    )


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
    wanted = [each.split(":") for each in arguments if each != TABLES]
    for is_plan in (True, False):
        group = [each for each in wanted if _is_plan(each[0]) == is_plan]
        if group and not _preload(group[0][0]):
            _say("refused: the tests do not pass as they are")
            return 1
        for file, *lines in group:
            _report(file, frozenset(map(int, lines)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
