"""The first page of the catalog (DSP `POST /catalog/request`) at 100, 1,000 and 10,000 datasets,
for us and, where one can be started, for an Eclipse EDC in the same run.

Both are asked over one kept connection with a valid identity, in alternating slices. One dataset is
published as always; the others are its copies under names of their own, signed and put into the
store with one head over all (publishing 10,000 files is another benchmark). The EDC has as many
assets under one contract definition, the layout in which it is fastest, and keeps them in memory.
"""

import contextlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final
from uuid import uuid4

import httpx

from benchmarks import world
from benchmarks.edc import available
from benchmarks.harness import Run, percentile
from benchmarks.traces import write
from catalog import documents
from connector.base import settings as configuration
from connector.cli.story import nodes
from connector.identity import edc as mock
from connector.identity import tokens
from connector.identity.keys import KeyRing
from connector.services.node import Node
from connector.services.publish import heading
from connector.services.publish.published import PUBLIC
from connector.store import catalogs
from connector.store.rows import DocumentRow
from connector.store.store import Tx
from tests.interop.edc import ODRL_CONTEXT, Edc

SIZES: Final = (100, 1_000, 10_000)
ROUNDS: Final = 4
ASKED: Final = 15
_NAME: Final = "copied"
_ASK: Final = json.dumps(
    {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "CatalogRequestMessage",
    }
).encode()


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask, and with which identity."""

    client: httpx.Client
    url: str
    authorization: Callable[[], str]

    def once(self) -> float:
        """Milliseconds until the page is here, which must hold datasets."""
        headers = {"Authorization": self.authorization(), "Content-Type": "application/json"}
        started = time.perf_counter()
        answer = self.client.post(self.url, content=_ASK, headers=headers)
        span = (time.perf_counter() - started) * 1000
        if answer.status_code != 200 or b"Dataset" not in answer.content:
            raise RuntimeError(f"{self.url}: {answer.status_code} {answer.text[:300]}")
        return span


def main() -> None:
    """Fill, ask, report, at each size."""
    run = Run("catalog: first page, as a peer asks for it")
    with contextlib.ExitStack() as stack:
        platform, lab = stack.enter_context(world.platform_and_lab())
        file = Path(lab.folder).with_name("traces.jsonl")
        write(file, 50)
        world.publish(platform, file, ident=_NAME)
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=60))
        edc = _edc(stack, Path(lab.folder).with_name("edc"))
        url = f"{platform.public}/dsp/2025-1/catalog/request"
        ours = Asking(client, url, _tokens(lab, platform.did))
        theirs = partial(mock.authorization, "asker", edc.dsp) if edc else str
        for size in SIZES:
            _fill(platform, size)
            both = {"ours": ours}
            if edc is not None:
                _fill_edc(edc, size)
                both["EDC"] = Asking(client, f"{edc.dsp}/catalog/request", theirs)
            _report(run, size, _measure(both))
    run.finish()


def _measure(both: dict[str, Asking]) -> dict[str, list[list[float]]]:
    """Slices of each, in turn, after some that are not counted."""
    for one in both.values():
        for _ in range(5):
            one.once()
    found: dict[str, list[list[float]]] = {name: [] for name in both}
    for _ in range(ROUNDS):
        for name, one in both.items():
            found[name].append([one.once() for _ in range(ASKED)])
    return found


def _report(run: Run, size: int, found: dict[str, list[list[float]]]) -> None:
    spans = {name: [each for part in parts for each in part] for name, parts in found.items()}
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        edc = spans.get("EDC")
        run.note(
            f"catalog: first page {name} at {size:,} datasets",
            percentile(spans["ours"], share),
            "ms",
            against=("EDC, in memory", percentile(edc, share)) if edc else None,
            ratio=_ratio(found) if edc and share == 0.5 else None,
            runs=ROUNDS * ASKED,
            budget="<= 5 ms" if share == 0.5 else "",
        )


def _ratio(found: dict[str, list[list[float]]]) -> float:
    pairs = zip(found["ours"], found["EDC"], strict=True)
    return median(median(one) / median(two) for one, two in pairs)


def _tokens(lab: nodes.Node, audience: str) -> Callable[[], str]:
    """Fresh tokens of the lab, which goes on serving: the platform looks up whom it answers."""
    folder = Path(lab.folder)
    keys = KeyRing.load(folder / configuration.read(folder).keys.dir)
    kid = f"{lab.did}#{keys.fragment('token')}"

    def authorization() -> str:
        now = datetime.now(UTC)
        return f"Bearer {tokens.mint(keys.token_key, lab.did, kid, audience, now, str(uuid4()))}"

    return authorization


# ---------------------------------------------------------------- so many datasets


def _fill(platform: nodes.Node, size: int) -> None:
    """Copies of the one dataset, until there are so many; the node is away meanwhile."""
    nodes.stop([platform])
    with world.opened(platform.folder) as (node, _):
        node.store.write_now(lambda tx: _copy(node, tx, size))
    nodes.start([platform])


def _copy(node: Node, tx: Tx, size: int) -> None:
    row = catalogs.dataset(tx, id=_NAME)
    stored = catalogs.document_by_digest(tx, digest=row.digest) if row else None
    if row is None or stored is None:
        raise RuntimeError("nothing was published")
    known = len(catalogs.datasets(tx, group=PUBLIC))
    for number in range(known, size):
        name = f"{_NAME}-{number:05d}"
        document = json.loads(stored.body.replace(row.iri.encode(), _iri(row.iri, name).encode()))
        del document["proof"]
        digest, body = documents.digest(document), heading.signed(node, document)
        catalogs.add_document(tx, DocumentRow(document["id"], name, row.version, digest, body))
        copied = replace(row, id=name, iri=_iri(row.iri, name), digest=digest)
        catalogs.put_dataset(tx, copied)
    heading.next_head(node, tx, PUBLIC, node.clock.now())


def _iri(iri: str, name: str) -> str:
    return f"{iri.rpartition('/')[0]}/{name}"


# ---------------------------------------------------------------- an EDC


def _edc(stack: contextlib.ExitStack, folder: Path) -> Edc | None:
    """An EDC with one definition for whatever it has; none without Java and Maven."""
    if not available():
        print("no EDC beside us: it needs java, javac and mvn")
        return None
    edc = Edc.make(folder, "asked")
    stack.callback(edc.stop)
    edc.start()
    policy = {"@context": ODRL_CONTEXT, "@type": "Set", "permission": [{"action": "use"}]}
    edc.post("policydefinitions", {"@type": "PolicyDefinition", "@id": "all", "policy": policy})
    terms = {"accessPolicyId": "all", "contractPolicyId": "all", "assetsSelector": []}
    edc.post("contractdefinitions", {"@type": "ContractDefinition", "@id": "all", **terms})
    return edc


def _fill_edc(edc: Edc, size: int) -> None:
    known = _assets(edc)

    def add(number: int) -> None:
        address = {"type": "HttpData", "baseUrl": "http://127.0.0.1:9/nothing"}
        properties = {"name": f"asset {number}", "description": "rows of learners"}
        body = {"@id": f"asset-{number}", "properties": properties, "dataAddress": address}
        edc.post("assets", body)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(known, size)))


def _assets(edc: Edc) -> int:
    """How many there are."""
    return len(edc._all("assets/request"))


if __name__ == "__main__":
    main()
