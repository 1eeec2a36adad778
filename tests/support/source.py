"""The project read as text: its files, its modules as syntax trees, and who imports whom."""

import ast
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("policies", "catalog", "connector")


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: dotted name, path and text; its syntax tree when somebody asks for it."""

    name: str
    path: Path
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree, parsed once."""
        return _tree(self.path)

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All that the syntax tree holds, as `ast.walk` gives it, walked once."""
        return _nodes(self.path)

    @property
    def where(self) -> str:
        """The path from the root of the project."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def lines(self) -> int:
        """How long the file is."""
        return self.text.count("\n")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(_tree(path)))


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """All modules under top-level folders (default: the three packages), by name."""
    found = []
    for folder in folders or PACKAGES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, path, path.read_text("utf-8")))
    return tuple(found)


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """What a module imports, wherever in the file: (dotted name, line).

    `from a import b` gives `a.b`: whether that is a module or a name in one is for the caller.
    """
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [node.module])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


@cache
def graph() -> dict[str, set[str]]:
    """Module -> modules of the three packages that it imports."""
    names = {module.name for module in modules()}
    edges: dict[str, set[str]] = {}
    for module in modules():
        targets = (_module_of(name, names) for name, _ in imports(module))
        edges[module.name] = {name for name in targets if name} - {module.name}
    return edges


def _module_of(name: str, known: Collection[str]) -> str | None:
    """The module that an imported name is, or stands in; None when it is not ours."""
    if name in known:
        return name
    parent = name.rpartition(".")[0]
    return parent if parent in known else None


def cycles(edges: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The groups of nodes that reach each other (Tarjan's algorithm), each sorted."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in edges.get(node, ()):
            if target not in index:
                visit(target)
            if target in stack:
                low[node] = min(low[node], low[target])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in edges:
        if node not in index:
            visit(node)
    return found


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project: what git would commit, or all but hidden and built folders."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=True, text=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if _kept(path.relative_to(ROOT))]
    return tuple(sorted(path for path in paths if path.is_file()))


def _kept(path: Path) -> bool:
    hidden = any(part.startswith(".") and part not in (".ci", ".gitignore") for part in path.parts)
    return not hidden and not {"__pycache__", "build", "dist"} & set(path.parts)
