"""What the commands read: a template by name or a policy from a file, parameters, own templates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.output import SESSION, read_json
from connector.cli.policy.decide import load
from policies.problem import Problem

What = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A template, or a policy as JSON or Turtle.")
]
Params = Annotated[
    Path | None, typer.Option("--params", metavar="FILE", help="Parameters, one JSON object.")
]
Folder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="Own templates; else those of the node's folder."),
]


def own(folder: Path | None) -> Mapping[str, Any]:
    """The institution's own templates: of the folder named, or of the node that `--node` names.

    Raises:
        Problem: `cli-file-unreadable` (no such folder), `publish-template-unreadable`,
            `policy-template-…`.
    """
    from connector.services.publish.library import own_templates, templates_in

    if folder is not None:
        if not folder.is_dir():
            raise Problem("cli-file-unreadable", path=str(folder), fault="no folder")
        return templates_in(folder)
    node = Path(SESSION.node) if SESSION.node else None
    return own_templates(node) if node is not None and node.is_dir() else {}


def parameters(file: Path | None) -> dict[str, object] | None:
    """The parameters in a file; None without one.

    Raises:
        Problem: `cli-file-unreadable`, `cli-json-invalid`.
    """
    if file is None:
        return None
    found = read_json(file)
    if not isinstance(found, dict):
        raise Problem("cli-json-invalid", path=str(file), fault="no object")
    return found


def offer(what: str, params: Mapping[str, object] | None, templates_own: Mapping[str, Any]) -> Any:
    """The policy that a template makes of its parameters, or that a file holds.

    Without parameters, a template that needs some is filled in like its first vector: an example.

    Raises:
        Problem: `policy-…`; `cli-…` when a file cannot be read.
    """
    from policies import templates

    if what in templates.names(templates_own):
        return templates.build(what, example(what, params, templates_own), templates_own)
    if Path(what).suffix or "/" in what:
        return load(Path(what))
    raise Problem(
        "policy-template-unknown", name=what[:80], known=", ".join(templates.names(templates_own))
    )


def example(
    name: str, params: Mapping[str, object] | None, templates_own: Mapping[str, Any]
) -> Mapping[str, object]:
    """The parameters given, or those of a template's first vector where it cannot do without."""
    from policies import templates

    if params is not None or not templates.parameters(name, templates_own)["required"]:
        return params or {}
    vectors = templates.vectors(name, templates_own)
    return dict(vectors[0]["params"]) if vectors else {}


def document(offer: Any) -> dict[str, object]:
    """A policy as JSON-LD: the wire's own form, in the ODRL context of the protocol, since that of
    its messages knows rules inside messages only.
    """
    from catalog.terms import ODRL_PROFILE
    from policies import odrl

    return {"@context": [ODRL_PROFILE], **odrl.wire(offer)}
