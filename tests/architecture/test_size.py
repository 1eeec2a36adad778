"""Files and functions stay small enough to read in one go."""

import ast
import statistics
from collections.abc import Iterator

import pytest

from tests.support import report
from tests.support.source import Module, modules

FILE_CAP = 600
FUNCTION_CAP = 60
EVERYTHING = ("policies", "catalog", "connector", "tests", "examples", "benchmarks")


def functions(module: Module) -> Iterator[tuple[str, int]]:
    """Name and length in lines of every function of a module."""
    for node in statements(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """What stands below a node, without its expressions: no function is defined in one."""
    for below in ast.iter_child_nodes(node):
        if isinstance(below, ast.stmt | ast.excepthandler | ast.match_case):
            yield below
            yield from statements(below)


def test_no_file_is_longer_than_the_cap():
    long = {m.where: m.lines for m in modules(*EVERYTHING) if m.lines > FILE_CAP}
    assert not long, f"split these files (at most {FILE_CAP} lines)"


def test_no_function_is_longer_than_the_cap():
    long = {
        f"{module.where}:{name}": length
        for module in modules(*EVERYTHING)
        for name, length in functions(module)
        if length > FUNCTION_CAP
    }
    assert not long, f"split these functions (at most {FUNCTION_CAP} lines)"


def test_report_on_size(request: pytest.FixtureRequest):
    code = [module for module in modules() if module.lines > 1]
    lengths = sorted(length for module in code for _, length in functions(module))
    tests = sum(module.lines for module in modules("tests"))
    lines = sum(module.lines for module in code)
    line = (
        f"{len(code)} files, {lines} lines, "
        f"median {statistics.median(module.lines for module in code):.0f} (aim 100-180); "
        f"functions: median {statistics.median(lengths):.0f} (aim <= 12), "
        f"p90 {lengths[len(lengths) * 9 // 10]} (aim <= 35); "
        f"tests {tests / lines:.2f} x code (aim >= 1.2)"
    )
    report.leave(request.config, line)
