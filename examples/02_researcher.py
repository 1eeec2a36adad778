"""A researcher's script: search, ask, wait, fetch, count. Standard library only.

    python 02_researcher.py "video" application.json --node http://127.0.0.1:9202 --token FILE

It speaks to the researcher's own node (docs/api.md); that node does the rest.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

Json = dict[str, Any]
ENDED = {"FINALIZED", "TERMINATED"}


def call(node: str, token: str, path: str, body: Json | None = None) -> bytes:
    """One request to the management API; a problem ends the script with what to do."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        with urlopen(Request(node + path, data, headers)) as answer:
            body_read: bytes = answer.read()
            return body_read
    except HTTPError as error:
        problem = json.loads(error.read())
        sys.exit(f"{problem['en']}\n→ {problem['do']['en']}")


def wait(node: str, token: str, path: str, until: str) -> Json:
    """Long polling: each question stays open until something changes, 20 seconds at most."""
    found: Json = json.loads(call(node, token, f"{path}?wait=20&until={until}"))
    return found


def search(node: str, token: str, words: str, purpose: str) -> str:
    """The one dataset that these words find, offered for this purpose; its address."""
    query = urlencode({"q": words, "purpose": purpose})
    results = json.loads(call(node, token, f"/v1/search?{query}"))["results"]
    for one in results:
        print(f"{one['title_en']} ({one['publisher_name']}): {one['dataset']}", file=sys.stderr)
    if len(results) != 1:
        sys.exit(f"{len(results)} datasets found: choose words that find exactly one.")
    return str(results[0]["dataset"])


def agreed(node: str, token: str, dataset: str, application: Json) -> str:
    """Ask, and wait for what the other institution decides; the agreement's id."""
    request = {"dataset": dataset, "application": application}
    asked = json.loads(call(node, token, "/v1/requests", request))
    path = f"/v1/negotiations/{quote(asked['pid'], safe='')}"
    while asked["state"] not in ENDED:
        if asked["state"] == "OFFERED":
            sys.exit("Returned with a changed offer: " + " ".join(asked["reasons"]))
        print(f"{asked['state']}: waiting for a decision", file=sys.stderr)
        asked = wait(node, token, path, "FINALIZED")
    if asked["state"] == "TERMINATED":
        sys.exit("Refused: " + " ".join(asked["reasons"]))
    return str(asked["agreement"])


def fetched(node: str, token: str, agreement: str, folder: Path) -> Path:
    """Let the node fetch what was agreed, then copy its files; where the data are."""
    transfer = json.loads(
        call(node, token, "/v1/transfers", {"agreement": agreement, "format": "ndjson"})
    )
    path = f"/v1/transfers/{quote(transfer['pid'], safe='')}"
    call(node, token, f"{path}/fetch", {})
    while (found := wait(node, token, path, "FETCHED"))["fetch"]["running"]:
        print(f"{found['fetch']['rows']} rows so far", file=sys.stderr)
    if found["fetch"].get("problem"):
        sys.exit(found["fetch"]["problem"]["en"])
    folder.mkdir(parents=True, exist_ok=True)
    for name in found["fetch"]["files"]:
        (folder / name).write_bytes(call(node, token, f"{path}/files/{quote(name)}"))
    return folder / "data.ndjson"


def table(rows: Iterable[Json]) -> None:
    """Statements and learners by verb. Learners are pseudonyms that only this agreement knows."""
    statements: Counter[str] = Counter()
    learners: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        verb = row["verb"]["id"].rpartition("/")[2]
        statements[verb] += 1
        learners[verb].add(json.dumps(row["actor"], sort_keys=True))
    print(f"{'verb':<12}{'statements':>12}{'learners':>10}")
    for verb, count in statements.most_common():
        print(f"{verb:<12}{count:>12}{len(learners[verb]):>10}")


def main() -> None:
    options = argparse.ArgumentParser(description="Search, ask, wait, fetch, count.")
    options.add_argument("words", help="what to search for")
    options.add_argument("application", type=Path)
    options.add_argument("--node", required=True, help="management URL of your own node")
    options.add_argument("--token", required=True, type=Path, help="file with your token")
    options.add_argument("--out", type=Path, default=Path("received"))
    given = options.parse_args()
    node, token = given.node.rstrip("/"), given.token.read_text("ascii").strip()
    application = json.loads(given.application.read_text("utf-8"))
    dataset = search(node, token, given.words, application["purpose"])
    agreement = agreed(node, token, dataset, application)
    data = fetched(node, token, agreement, given.out)
    with data.open(encoding="utf-8") as lines:
        table(json.loads(line) for line in lines)


if __name__ == "__main__":
    main()
