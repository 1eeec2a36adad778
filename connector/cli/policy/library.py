"""`preau policy list`, `show`, `test`: the template library, the institution's own included."""

from typing import Annotated, Any

import typer

from connector.cli.output import SESSION, command, table
from connector.cli.policy import loading, saying
from connector.cli.policy.loading import Folder, Params


@command
def list_(folder: Folder = None) -> None:
    """The templates and bundles that a steward can fill in."""
    from policies import templates
    from policies.clauses import clauses

    own = loading.own(folder)
    found = []
    for name in templates.names(own):
        offer = loading.offer(name, None, own)
        found.append(
            {
                "name": name,
                "title": {lang: templates.title(name, lang, own) for lang in ("fr", "en")},
                "parts": list(templates.parts(name, own)),
                "own": name in own,
                "required": templates.parameters(name, own)["required"],
                "evaluable": all(clause.sourced for clause in clauses(offer)),
            }
        )
    later = SESSION.pick("pas encore évaluable ici", "not yet evaluable here")
    rows = [
        (one["name"], one["title"][SESSION.lang], "" if one["evaluable"] else later)
        for one in found
    ]
    heads = SESSION.pick("nom titre remarque", "name title remark").split()
    SESSION.say({"v": 1, "templates": found}, *table(heads, rows))


@command
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A template or bundle.")],
    params: Params = None,
    folder: Folder = None,
) -> None:
    """A template: its text, its parameters, and how each clause is held; as filled in, or by
    an example.
    """
    from policies import templates
    from policies.clauses import clauses

    own = loading.own(folder)
    given = loading.parameters(params)
    described = {lang: templates.describe(name, lang, own) for lang in ("fr", "en")}
    filled = loading.example(name, given, own)
    offer = templates.build(name, filled, own)
    held = [clause.document() for clause in clauses(offer)]
    document: dict[str, Any] = {
        "v": 1,
        "name": name,
        "own": name in own,
        "text": described,
        "parts": list(templates.parts(name, own)),
        "parameters": templates.parameters(name, own),
        "params": filled,
        "offer": loading.document(offer),
        "clauses": held,
    }
    SESSION.say(document, *described[SESSION.lang], "", *saying.clauses(held))


@command
def run_vectors(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="All templates, without.")
    ] = None,
    folder: Folder = None,
) -> None:
    """Run the vectors of templates against the real evaluator; exit code 1 if one fails."""
    from policies import templates
    from policies.templates import running

    own = loading.own(folder)
    found = [one for name in names or templates.names(own) for one in running.run(name, own)]
    failed = [one for one in found if not one.good]
    results = [{**one._asdict(), "good": one.good} for one in found]
    said = SESSION.pick("exemples", "vectors"), SESSION.pick("en échec", "failed")
    SESSION.say(
        {"v": 1, "run": len(found), "failed": len(failed), "results": results},
        *(f"✗ {one.template}: {one.name}: {one.found} ≠ {one.expected}" for one in failed),
        f"{len(found)} {said[0]}, {len(failed)} {said[1]}",
    )
    if failed:
        raise typer.Exit(1)
