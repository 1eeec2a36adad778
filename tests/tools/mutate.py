"""A mutation run by hand: `python -m tests.tools.mutate policies/judge.py …` (docs/mutation.md).

Each mutant changes one place of one module: a comparison, a logical word, a negation, a constant,
a returned value, a sign. The tests named below are collected once; then, for each mutant, a
process of its own puts the changed functions and classes in the place of the true ones, wherever
they are referred to, and runs the tests until one fails. A mutant that nothing notices *survives*
and is printed with its place.
"""

import ast
import copy
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
FILES: Final = (
    "test_cases.py",
    "test_evaluate.py",
    "test_times.py",
    "test_inheritance.py",
    "test_many.py",
    "test_w3c.py",
    "test_questions.py",
    "test_vocabulary.py",
    "test_properties.py",
)
SECONDS: Final = 300

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


class _Mutation:
    """A pytest plugin that runs the collected tests once for each mutant."""

    def __init__(self, files: list[str]) -> None:
        self._files = files

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of running the tests once."""
        for file in self._files:
            _say(self._report(session, file))
        return True

    def _report(self, session: pytest.Session, file: str) -> str:
        path = ROOT / file
        module = sys.modules[file.removesuffix(".py").replace("/", ".")]
        whole = ast.parse(path.read_text("utf-8"))
        if _run(session, module, whole) != "survived":
            return f"{file}: the tests fail without any change"
        counts = {"killed": 0, "survived": 0, "timeout": 0}
        for number, (tree, line, said) in enumerate(mutants(whole), start=1):
            if number % 50 == 0:
                _say(f"  {file}: {number} mutants so far")
            state = _run(session, module, tree)
            counts[state] += 1
            if state == "survived":
                _say(f"  survived {file}:{line}: {said}")
        total = sum(counts.values())
        share = 100 * (total - counts["survived"]) / max(total, 1)
        return f"{file}: {total} mutants, {counts}, {share:.1f} % noticed"


def _run(session: pytest.Session, module: ModuleType, tree: ast.Module) -> str:
    """killed, survived or timeout (which is noticed too)."""
    child = os.fork()
    if child == 0:
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            _replace(module, tree)
            killed = _fails(session)
        except BaseException:  # noqa: BLE001  (whatever a mutant does, it was noticed)
            killed = True
        os._exit(0 if killed else 1)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "survived" if os.waitstatus_to_exitcode(status) == 1 else "killed"
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def _replace(module: ModuleType, tree: ast.Module) -> None:
    """Everything that the module defines, made anew by the changed source, wherever it is used."""
    old = dict(vars(module))
    exec(compile(tree, str(module.__file__), "exec"), module.__dict__)
    changed = {
        id(value): vars(module)[name]
        for name, value in old.items()
        if not name.startswith("__") and vars(module)[name] is not value
    }
    for name, other in list(sys.modules.items()):
        if other is not module and name.startswith(("policies", "tests.policies")):
            for attribute, value in list(vars(other).items()):
                if id(value) in changed:
                    setattr(other, attribute, changed[id(value)])


def _fails(session: pytest.Session) -> bool:
    """Whether any of the tests fails: the cases first, called as they are, for speed."""
    cases = sys.modules["tests.policies.test_cases"]
    for name in vars(cases)["CASES"]:
        vars(cases)["test_case"](name)
    for item in session.items:
        if item.path.name == "test_cases.py":
            continue
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        if session.testsfailed:
            return True
    return False


def _say(line: str) -> None:
    os.write(sys.__stderr__.fileno(), f"{line}\n".encode())  # type: ignore[union-attr]


def main(arguments: list[str]) -> int:
    """Run all mutants of the files named; survivors and counts go to standard error."""
    files = [str(ROOT / "tests" / "policies" / name) for name in FILES]
    options = ["-q", "-s", "--assert=plain", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, *files], plugins=[_Mutation(arguments)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
