"""A mutation run by hand: `python -m tests.tools.mutate policies/judge.py …` (docs/mutation.md).

Each mutant changes one place of one module: a comparison, a logical word, a negation, a constant,
a returned value, a sign. In a process of its own the room `policies` is loaded again with that
change; the cases of tests/policies/cases run first, then, if they all still pass, the test files
named below. A mutant that nothing notices *survives* and is printed with its place.
"""

import ast
import copy
import importlib.abc
import importlib.util
import io
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
CASES: Final = ROOT / "tests" / "policies" / "cases"
FILES: Final = (
    "test_evaluate.py",
    "test_questions.py",
    "test_inheritance.py",
    "test_many.py",
    "test_times.py",
    "test_w3c.py",
)
SECONDS: Final = 120

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
    """Annotations, imports, docstrings, `__all__`, decorators, refusals: no answer depends on
    them, or they are texts.
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
        case ast.Assign() if ast.unparse(node.targets[0]) in {"__all__", "Verdict"}:
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


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a tree."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(self, name: str, path: object, target: object = None) -> Any:
        if name != self._name:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(self._path))

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), module.__dict__)


def _noticed(cases: Sequence[dict[str, Any]]) -> bool:
    """Whether the cases, then the test files, notice the mutant now importable."""
    from policies import odrl, questions
    from policies.problem import Problem
    from tests.policies.test_cases import trace

    for case in cases:
        expected = case["expect"]
        try:
            read = odrl.read(case["policy"])
            found = questions.answer(read, questions.read(case["request"]))
        except Problem as problem:
            if problem.code != expected.get("problem"):
                return True
            continue
        said = (found["outcome"], found.get("note"), trace(found))
        if said != (expected.get("outcome"), expected.get("note"), expected.get("trace")):
            return True
    import pytest

    files = [str(ROOT / "tests" / "policies" / name) for name in FILES]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return pytest.main(["-x", "-q", "-p", "no:cacheprovider", *files]) != 0


def _run(name: str, path: Path, tree: ast.Module, cases: Sequence[dict[str, Any]]) -> str:
    """killed, survived or timeout (which is noticed too)."""
    child = os.fork()
    if child == 0:
        try:
            sys.meta_path.insert(0, _Finder(name, path, tree))
            killed = _noticed(cases)
        except BaseException:  # noqa: BLE001  (whatever a mutant does, it was noticed)
            killed = True
        os._exit(0 if killed else 1)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "survived" if os.waitstatus_to_exitcode(status) == 1 else "killed"
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def main(arguments: list[str]) -> None:
    """Run all mutants of the files named, print survivors and the count of each file."""
    import hypothesis  # noqa: F401  (imported once, before the processes part)
    import pytest  # noqa: F401

    read = [json.loads(path.read_text("utf-8")) for path in sorted(CASES.glob("*.json"))]
    cases = [case for file in read for case in file]
    for file in arguments:
        path = ROOT / file
        name = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        counts = {"killed": 0, "survived": 0, "timeout": 0}
        for tree, line, said in mutants(ast.parse(path.read_text("utf-8"))):
            state = _run(name, path, tree, cases)
            counts[state] += 1
            if state == "survived":
                _say(f"  survived {file}:{line}: {said}")
        total = sum(counts.values())
        share = 100 * (total - counts["survived"]) / max(total, 1)
        _say(f"{file}: {total} mutants, {counts}, {share:.1f} % noticed")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
