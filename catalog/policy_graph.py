"""A policy written in RDF (Turtle, JSON-LD already expanded to a graph) -> the typed policy.

The graph is walked into the JSON that `policies.odrl` reads, so that both ways have one reader,
one set of refusals and one meaning. Every statement about a node that is part of the policy is
taken along: one that nobody understands is refused by its name, never dropped. Used by oracles
and adapters; the node itself speaks JSON (C3).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from policies import odrl
from policies.model import Policy
from policies.problem import Problem
from policies.vocabulary import ODRL, RDF

if TYPE_CHECKING:
    from rdflib import Graph

_PARTS: Final = frozenset(
    ODRL + word
    for word in (
        *("permission", "prohibition", "obligation", "duty", "remedy", "consequence"),
        *("constraint", "refinement", "action", "target", "assigner", "assignee"),
        *("and", "or", "xone", "andSequence"),
    )
)
_THINGS: Final = frozenset(ODRL + word for word in ("action", "target", "assigner", "assignee"))
_LISTED: Final = ODRL + "andSequence"
_RULES: Final = ("permission", "prohibition")
_EVERY: Final = ODRL + "Action"
_GENERAL: Final = frozenset({ODRL + "Policy", ODRL + "Rule"})
_MAX_DEPTH: Final = 24


def read(graph: "Graph", node: str, *, any_action: bool = False) -> Policy:
    """The policy with this IRI in a graph.

    Args:
        graph: an rdflib graph; other things in it are not looked at.
        node: IRI of the policy.
        any_action: for oracles: a rule that names no action is kept, with the action "". Without
            it such a rule is refused, as ODRL 2.2 asks.

    Raises:
        Problem: as `policies.odrl.read`; the paths name the members by their IRIs or words.
    """
    from rdflib import URIRef

    start = URIRef(node)
    if (start, None, None) not in graph:
        raise Problem("policy-shape", path=node[:80], expected="policy", found="nothing")
    tree = _node(graph, start, _MAX_DEPTH)
    if not any_action:
        return odrl.read(tree)
    for rule in _rules(tree):
        rule.setdefault(ODRL + "action", {"@id": _EVERY})
    policy = odrl.read(tree)
    return replace(
        policy,
        permissions=tuple(map(_open, policy.permissions)),
        prohibitions=tuple(map(_open, policy.prohibitions)),
    )


def only(turtle: bytes) -> Policy:
    """The only policy in a Turtle document.

    Raises:
        Problem: `policy-rdf` (not Turtle), `policy-rdf-count` (no policy, or several), or as
            `read`.
    """
    from rdflib import Graph, URIRef

    graph = Graph(bind_namespaces="none")
    try:
        graph.parse(data=turtle, format="turtle")
    except Exception as fault:  # noqa: BLE001  (rdflib's reader raises what it meets)
        where = str(fault).partition("\n")[0][:200]
        raise Problem("policy-rdf", found=where.encode("utf-8", "replace").decode()) from None
    nodes = {
        str(node)
        for word in ("Policy", "Set", "Offer", "Agreement")
        for node in graph.subjects(URIRef(RDF + "type"), URIRef(ODRL + word))
        if isinstance(node, URIRef)
    }
    if len(nodes) != 1:
        raise Problem("policy-rdf-count", found=len(nodes))
    return read(graph, nodes.pop())


def _open(rule: Any) -> Any:  # noqa: ANN401  (a rule, of the same class as given)
    return replace(rule, action="") if rule.action == _EVERY else rule


def _rules(tree: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for member in _RULES:
        found = tree.get(ODRL + member, [])
        yield from found if isinstance(found, list) else [found]


def _node(graph: "Graph", node: Any, depth: int) -> dict[str, Any]:  # noqa: ANN401
    """One node as a JSON object under full IRIs, its parts inside it."""
    from rdflib import URIRef

    if depth == 0:
        raise Problem("policy-too-deep", path=str(node)[:80], expected=_MAX_DEPTH)
    found: dict[str, Any] = {"@id": str(node)} if isinstance(node, URIRef) else {}
    for predicate in sorted(set(graph.predicates(node)), key=str):
        objects = sorted(graph.objects(node, predicate), key=str)
        name = str(predicate)
        if name == RDF + "type":
            classes = [str(each) for each in objects]
            found["@type"] = _class(classes)
        elif name == ODRL + "uid" and objects == [node]:
            continue
        else:
            found[name] = _objects(graph, name, objects, depth)
    return found


def _class(classes: list[str]) -> object:
    """The one class that says what a node is; several are left for the reader to refuse."""
    special = [each for each in classes if each not in _GENERAL] or classes
    return special[0] if len(special) == 1 else special


def _objects(graph: "Graph", name: str, objects: list[Any], depth: int) -> object:
    items = [item for each in objects for item in _items(graph, each)]
    if name == _LISTED and len(objects) > 1:
        raise Problem("policy-shape", path="andSequence", expected="rdf:List", found="set")
    if name not in _PARTS:
        written = [_plain(each) for each in items]
    elif name in _THINGS:
        written = [_thing(graph, each, depth) for each in items]
    else:
        written = [_part(graph, each, depth) for each in items]
    return written[0] if len(written) == 1 else written


def _items(graph: "Graph", found: Any) -> list[Any]:  # noqa: ANN401
    """The items of an RDF list; anything else is one item."""
    from rdflib import URIRef

    first, rest, nil = URIRef(RDF + "first"), URIRef(RDF + "rest"), URIRef(RDF + "nil")
    if (found, first, None) not in graph:
        return [] if found == nil else [found]
    items, seen = [], set()
    while found != nil:
        if found in seen or (found, first, None) not in graph:
            raise Problem("policy-shape", path="list", expected="rdf:List", found="broken list")
        seen.add(found)
        items.append(graph.value(found, first))
        found = graph.value(found, rest)
    return items


def _part(graph: "Graph", found: Any, depth: int) -> object:  # noqa: ANN401
    """A rule or constraint; a literal in its place is left for the reader to refuse."""
    from rdflib import Literal

    return _plain(found) if isinstance(found, Literal) else _node(graph, found, depth - 1)


def _thing(graph: "Graph", found: Any, depth: int) -> object:  # noqa: ANN401
    """An action, asset or party: its name, or an object where the graph says more."""
    if (found, None, None) in graph:
        return _node(graph, found, depth - 1)
    return _plain(found)


def _plain(found: Any) -> object:  # noqa: ANN401
    from rdflib import Literal, URIRef

    if isinstance(found, URIRef):
        return {"@id": str(found)}
    if not isinstance(found, Literal):
        raise Problem("policy-shape", path="value", expected="IRI, literal", found="blank node")
    if found.language:
        return {"@value": str(found), "@language": found.language}
    if found.datatype is None:
        return str(found)
    return {"@value": str(found), "@type": str(found.datatype)}
