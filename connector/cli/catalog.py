"""`preau catalog`: finding what others have, keeping it, checking it without trusting anybody."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.search import ANY_PURPOSE
from connector.cli.output import SESSION, command, read_json, table
from policies.problem import Problem
from policies.vocabulary import label

app = typer.Typer(no_args_is_help=True, help="Catalogs: found, kept, checked.")
From = Annotated[
    Path | None, typer.Option("--from", metavar="DIR", help="A saved folder, in place of a node.")
]


@app.command("search")
@command
def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="[Q]", help="Words.")] = None,
    access: Annotated[str | None, typer.Option(help="automatic, decision or group.")] = None,
    purpose: Annotated[
        str | None, typer.Option(help="An IRI or a short name: EducationResearch.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="An IRI or a short name.")] = None,
    freshness: Annotated[
        str | None, typer.Option(help="fresh, stale, unscheduled or ended.")
    ] = None,
    publisher: Annotated[str | None, typer.Option(metavar="DID")] = None,
    refresh: Annotated[
        bool | None,
        typer.Option(
            "--refresh/--offline",
            help="Ask all peers now, or nobody; by default those not asked lately.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="Results shown.", min=1, max=500)] = 50,
) -> None:
    """Find datasets at all known nodes: their titles, conditions, purposes and freshness."""
    found = SESSION.client().get(
        "/v1/search",
        q=" ".join(words or []),
        access=access,
        purpose=purpose,
        category=category,
        freshness=freshness,
        publisher=publisher,
        refresh={None: "due", True: "always", False: "never"}[refresh],
        limit=limit,
    )
    lines = (_results(found), _facets(found["facets"]), _age(found["peers"]))
    SESSION.say(found, *(line for part in lines for line in part), *_silent(found["peers"]))


@app.command("save")
@command
def save(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Keep every verified catalog in a folder: heads, documents and DID documents."""
    from connector.cli import copies

    found, missing = copies.from_node(SESSION.client())
    index = copies.save(folder, found)
    for one in missing:
        lost = SESSION.pick("  incomplet, laissé : ", "  incomplete, left out: ")
        typer.echo(f"{lost}{one['publisher']} ({one['group']})", err=True)
    SESSION.say(
        index,
        *table(
            ("publisher", "group", "datasets", "file"),
            [(c["publisher"], c["group"], c["datasets"], c["file"]) for c in index["catalogs"]],
        ),
        SESSION.pick(
            "Vérifier hors ligne : preau catalog verify DIR/FILE --did DIR/…/did.json",
            "Verify offline: preau catalog verify DIR/FILE --did DIR/…/did.json",
        ),
    )


@app.command("export")
@command
def export(
    to: Annotated[str, typer.Option(metavar="FORMAT", help="ttl, nt or xml.")],
    source: From = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Standard output else.")] = None,
) -> None:
    """Write what the verified catalogs say as RDF, without a changed character."""
    from catalog.export import export as written
    from connector.cli import copies

    data = written(copies.documents(_copies(source)), to)
    if out is None:
        sys.stdout.buffer.write(data)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        fault = error.strerror or "I/O"
        raise Problem("cli-not-written", path=str(out), fault=fault) from None
    SESSION.say({"v": 1, "file": str(out), "bytes": len(data)}, f"{out}  {len(data)}")


@app.command("query")
@command
def query(
    sparql: Annotated[str, typer.Argument(metavar="SPARQL", help="SELECT, ASK or CONSTRUCT.")],
    source: From = None,
) -> None:
    """Ask the verified copies a SPARQL question; nothing leaves this machine."""
    from catalog.query import run
    from connector.cli import copies

    found = run(sparql, list(copies.documents(_copies(source))))
    SESSION.say(found, *_answer(found))


@app.command("verify")
@command
def verify(
    target: Annotated[str, typer.Argument(metavar="FILE|URL", help="A signed document or a node.")],
    did: Annotated[
        Path | None, typer.Option(metavar="DID.json", help="The publisher's DID document.")
    ] = None,
) -> None:
    """Verify signatures and digests: a whole catalog by URL, or one saved document offline."""
    if target.startswith(("http://", "https://")):
        from connector.runtime import verify_catalog

        report = verify_catalog(target)
    else:
        if did is None:
            raise typer.BadParameter("a file needs --did DID.json")
        from catalog.verify import verify_document

        report = verify_document(read_json(Path(target)), read_json(did))
    lines = [f"  ✓ {item['id']}  {item['digest']}" for item in report["documents"]]
    SESSION.say(
        report,
        SESSION.pick("Vérifié : signé par ", "Verified: signed by ") + str(report["publisher"]),
        *lines,
    )


def _copies(source: Path | None) -> list[Any]:
    """Verified copies from a folder or from the node."""
    from connector.cli import copies

    return copies.from_folder(source) if source else copies.from_node(SESSION.client())[0]


def _results(found: dict[str, Any]) -> list[str]:
    lang = SESSION.lang
    rows = [
        (
            one[f"title_{lang}"],
            one["publisher_name"],
            _conditions(one),
            _word(one["freshness"]),
            one["persons"] or "–",
            one["dataset"],
        )
        for one in found["results"]
    ]
    headings = (
        ("titre", "qui", "accès", "à jour", "personnes", "jeu de données")
        if lang == "fr"
        else ("title", "who", "access", "freshness", "persons", "dataset")
    )
    shown = SESSION.pick("affichés", "shown")
    return [*table(headings, rows), "", f"{found['total']} ({len(rows)} {shown})"]


def _conditions(one: dict[str, Any]) -> str:
    roles = sorted({role for offer in one["decisions"] for role in offer})
    words = [_word(word) for word in one["access"]]
    if not one["signed"]:
        words.append(SESSION.pick("non signé", "unsigned"))
    return ", ".join(words) + (f" ({', '.join(roles)})" if roles else "")


def _facets(facets: dict[str, dict[str, int]]) -> list[str]:
    lines = []
    for name, counts in facets.items():
        if counts:
            shown = ", ".join(f"{_word(value)} {count}" for value, count in counts.items())
            lines.append(f"  {_word(name)}: {shown}")
    return lines


def _age(peers: list[dict[str, Any]]) -> list[str]:
    """How old the copies are that the search looked through, and how to have newer ones."""
    verified = sorted(peer["verified"] for peer in peers if peer["verified"])
    if not verified:
        return []
    oldest = f"{verified[0][:16]}Z"
    return [
        SESSION.pick(
            f"  copies de {len(verified)} nœud(s), vérifiées depuis {oldest} "
            "(--refresh : demander maintenant)",
            f"  copies of {len(verified)} node(s), verified since {oldest} (--refresh: ask now)",
        )
    ]


def _silent(peers: list[dict[str, Any]]) -> list[str]:
    """Who could not be read, and why: what is missing from a search must be seen."""
    return [
        f"  ! {peer['did']}: {peer['problem'][SESSION.lang]}" for peer in peers if peer["problem"]
    ]


_WORDS = {
    "automatic": ("automatique", "automatic"),
    "decision": ("sur décision", "needs decision"),
    "group": ("groupe", "group"),
    "fresh": ("à jour", "fresh"),
    "stale": ("EN RETARD", "STALE"),
    "unscheduled": ("sans calendrier", "unscheduled"),
    "ended": ("terminé", "ended"),
    "access": ("accès", "access"),
    "purpose": ("finalité", "purpose"),
    "category": ("catégorie", "category"),
    "freshness": ("fraîcheur", "freshness"),
    "publisher": ("qui publie", "publisher"),
}


def _word(value: str) -> str:
    """A word of a facet, or the label of an IRI."""
    if value in _WORDS:
        return SESSION.pick(*_WORDS[value])
    if value.startswith("did:"):
        return value
    if value == ANY_PURPOSE:
        return SESSION.pick("toute finalité", "any purpose")
    return label(value, SESSION.lang)


def _answer(found: dict[str, Any]) -> list[str]:
    """An answer as people read it."""
    if found["form"] == "ask":
        return [SESSION.pick("oui", "yes") if found["answer"] else SESSION.pick("non", "no")]
    cut = [SESSION.pick("(coupé)", "(cut)")] if found["truncated"] else []
    if found["form"] == "construct":
        return [found["triples"].rstrip("\n"), *cut]
    names = found["vars"]
    rows = [[row.get(name, {}).get("value") for name in names] for row in found["rows"]]
    return [*table(names, rows), *cut]
