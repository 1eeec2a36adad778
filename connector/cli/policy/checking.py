"""`preau policy lint` and `explain`: what is wrong with an offer, and what a policy says."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.output import SESSION, command, read_bytes
from connector.cli.policy import loading, saying
from connector.cli.policy.loading import Folder, Params, What
from policies.problem import Problem


@command
def lint(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FILE]", help="A template or policy; else the one that --about names."
        ),
    ] = None,
    about: Annotated[
        Path | None, typer.Option("--about", metavar="ABOUT.toml", help="What is declared.")
    ] = None,
    params: Params = None,
    folder: Folder = None,
) -> None:
    """What is wrong with publishing an offer, each with what to change. Exit code 1 if refused."""
    from policies.lint import lint as linted
    from policies.lint import refusing

    declared, terms = _declared(about)
    own, given = loading.own(folder), loading.parameters(params)
    if what is None:
        if terms is None:
            raise typer.BadParameter("name a policy, or an --about that has one")
        what, given = terms.template, given if given is not None else dict(terms.params)
    offer = loading.offer(what, given, own)
    findings = linted(offer, declared)
    found = [one.document() for one in findings]
    refused = bool(refusing(findings))
    if not refused and (unheld := _unrunnable(offer)) is not None:
        found, refused = [unheld, *found], True
    good = SESSION.pick("Rien à redire.", "Nothing to object.")
    SESSION.say(
        {"v": 1, "policy": offer.id, "refused": refused, "findings": found},
        *(saying.warnings(found) or [good]),
    )
    if refused:
        raise typer.Exit(1)


def _unrunnable(offer: Any) -> dict[str, object] | None:
    """What no release of this version could hold, as publishing would refuse it."""
    from connector.dataplane import runnable
    from policies.plan import needs

    try:
        runnable.check(needs(offer))
    except Problem as problem:
        return {**problem.document(), "severity": "refuses", "path": "policy"}
    return None


@command
def explain(what: What, params: Params = None, folder: Folder = None) -> None:
    """A policy in plain words, and how each clause is held; unknown parts are named as such."""
    from policies import explain as words
    from policies.clauses import clauses

    offer = loading.offer(what, loading.parameters(params), loading.own(folder))
    said = {lang: words.policy(offer, lang) for lang in ("fr", "en")}
    held = [clause.document() for clause in clauses(offer)]
    SESSION.say({"v": 1, **said, "clauses": held}, *said[SESSION.lang])


def _declared(about: Path | None) -> tuple[Any, Any]:
    """The declaration in an About (the strictest without one), and the terms that it names."""
    from connector.base.clock import SystemClock
    from connector.base.settings import Retention
    from connector.base.settings import read as settings
    from connector.dataplane import about as declarations
    from connector.dataplane.declaring import declaration
    from policies.lint import Declaration

    now = SystemClock().now()
    default = Retention().default
    if SESSION.node and Path(SESSION.node).is_dir():
        default = settings(Path(SESSION.node)).retention.default
    if about is None:
        return Declaration(personal=True, retention_default=default, now=now), None
    found = declarations.parse(read_bytes(about))
    if found.policy is None:
        raise Problem("publish-no-policy")
    return declaration(found, retention_default=default, now=now), found.policy
