"""What the rows of a revision hold: every leaf path met, its type, and a name people can use.

Room: dataplane; pure. The walk of `rows` feeds a tree of positions (`Node`); at the end `fields`
turns it into the codebook of FORMATS: `{name, pointer, type, personal}`. Offers and applications
speak in those names, plans in those pointers: a path that no row had when the steward published
has no name, and therefore cannot be agreed or leave (X1, X8).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policies.plan import Field

UUID: Final = re.compile(r"(?:urn:uuid:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DATE_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)"
)
# Beyond this a file is not a data set with fields but a bag of keys; the rest cannot be agreed.
MAX_FIELDS: Final = 5_000

MAX_NODES: Final = 20_000

_is_uuid = UUID.fullmatch
_is_date_time = DATE_TIME.fullmatch
_SIMPLE: Final[Mapping[type, str]] = {
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


class Leaf:
    """The types seen at one path. `settled` once further strings can teach nothing."""

    __slots__ = ("kinds", "settled")

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.settled = False

    def see(self, value: object) -> None:
        """Take one more value into account."""
        simple = _SIMPLE.get(type(value))
        if simple is not None:
            self.kinds.add(simple)
        elif isinstance(value, str):
            self.see_text(value)

    def see_text(self, value: Any) -> None:  # noqa: ANN401  (a string, told by the caller)
        """As `see`, for a string: a leaf is "uuid" or "dateTime" only while all its texts are."""
        if self.settled:
            return
        kind = "uuid" if _is_uuid(value) else "dateTime" if _is_date_time(value) else "string"
        self.kinds.add(kind)
        self.settled = len(self.kinds & {"uuid", "dateTime", "string"}) > 1 or kind == "string"

    def type(self) -> str:
        """One of string, number, boolean, uuid, dateTime, null, mixed, agent."""
        if "agent" in self.kinds:
            return "agent"
        kinds = self.kinds - {"null"}
        if kinds & {"string"} or {"uuid", "dateTime"} <= kinds:
            kinds = kinds - {"uuid", "dateTime"} | {"string"}
        if len(kinds) > 1:
            return "mixed"
        return next(iter(kinds), "null")


class Node:
    """One position: the keys from the root (`-` for any index), what was seen, what lies below.

    `shapes` and `known` are the walk's memory for this position (see `rows`). Positions beyond
    MAX_NODES are not kept: a file with millions of keys cannot fill the memory.
    """

    __slots__ = ("_count", "kids", "known", "leaf", "path", "shapes")

    def __init__(self, path: tuple[str, ...] = (), count: list[int] | None = None) -> None:
        self.path = path
        self.leaf: Leaf | None = None
        self.kids: dict[str, Node] = {}
        self.shapes: dict[tuple[object, ...], Any] = {}
        self.known: dict[bytes, int] = {}
        self._count = [0] if count is None else count

    def at(self, *keys: str) -> "Node":
        """The position below, made when new."""
        node = self
        for key in keys:
            kid = node.kids.get(key)
            if kid is None:
                kid = Node((*node.path, key), self._count)
                self._count[0] += 1
                if self._count[0] <= MAX_NODES:
                    node.kids[key] = kid
            node = kid
        return node

    def leaf_here(self) -> Leaf:
        """The leaf record of this position, made when new."""
        if self.leaf is None:
            self.leaf = Leaf()
        return self.leaf

    def leaf_at(self, key: str) -> Leaf:
        """The leaf record of a member."""
        return self.at(key).leaf_here()

    def mark(self, kind: str) -> None:
        """Record that this position itself held something of the given type."""
        self.leaf_here().kinds.add(kind)

    @property
    def overflow(self) -> int:
        """How many positions were met and not kept."""
        return max(0, self._count[0] - MAX_NODES)

    def leaves(self) -> Iterator["Node"]:
        """Every position that held a value, depth first, without recursion limits."""
        stack = [self]
        while stack:
            node = stack.pop()
            if node.leaf is not None and node.leaf.kinds:
                yield node
            stack.extend(node.kids.values())


def pointer(path: tuple[str, ...]) -> str:
    """RFC 6901 text of a path."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)


def fields(root: Node) -> tuple[tuple[Field, ...], int]:
    """The codebook, by name, and how many paths were left out (more than MAX_FIELDS).

    A name is the shortest that is unique: `result.extensions.time-from`, else with the extension's
    full IRI, else with `-` where there is an array, else the pointer itself.
    """
    nodes = sorted(root.leaves(), key=lambda node: node.path)
    kept = nodes[:MAX_FIELDS]
    names = _names([node.path for node in kept])
    found = [_field(node, names[node.path]) for node in kept]
    return tuple(sorted(found, key=lambda field: field.name)), len(nodes) - len(kept)


def _field(node: Node, name: str) -> Field:
    kind = node.leaf_here().type()
    return Field(
        name=name, pointer=pointer(node.path), type=kind, personal=_personal(node.path, kind)
    )


def _personal(path: tuple[str, ...], kind: str) -> str:
    if kind == "agent":
        return "direct"
    if path[-2:] == ("result", "response"):
        return "free-text"
    return "indirect" if kind in ("uuid", "dateTime") or path == ("id",) else "no"


def _names(paths: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """A unique name for each path: every way of naming is tried from the shortest on."""
    names: dict[tuple[str, ...], str] = {}
    taken: set[str] = set()
    open_paths = paths
    for way in _WAYS:
        candidates = {path: way(path) for path in open_paths}
        counts = Counter(candidates.values())
        names |= {
            path: name
            for path, name in candidates.items()
            if name and counts[name] == 1 and name not in taken
        }
        taken.update(counts)
        open_paths = [path for path in open_paths if path not in names]
    return names


def _short(path: tuple[str, ...]) -> str:
    """Keys joined with dots; an extension's IRI is its last segment; indices are left out."""
    return ".".join(_segment(key) for key in path if key != "-")


def _segment(key: str) -> str:
    return re.split(r"[/#:]", key.rstrip("/#:"))[-1] if ":" in key else key


def _full(path: tuple[str, ...]) -> str:
    return ".".join(key for key in path if key != "-")


_WAYS: Final[tuple[Callable[[tuple[str, ...]], str], ...]] = (
    _short,
    _full,
    ".".join,
    pointer,
)
