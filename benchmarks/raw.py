"""A raw copy for comparison: the same file over the same HTTP, part by part, nothing decided.

Each part is a slice of 8 MiB under a keyed digest that the client verifies, and one row is
committed before it leaves, as for a real part.
"""

import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop
from fastapi import FastAPI, Response

from benchmarks.world import serving
from connector import runtime
from connector.dataplane import parts
from connector.store import replay
from connector.store.store import Store

SIZE: Final = 8 * 2**20
SALT: Final = b"r" * 32


def app(source: Path, store: Store) -> FastAPI:
    """One route: a part of the file."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    file = os.open(source, os.O_RDONLY)
    size = source.stat().st_size
    now = datetime.now(UTC)

    def slice_of(number: int) -> tuple[bytes, str]:
        body = os.pread(file, SIZE, (number - 1) * SIZE)
        return body, parts.part_digest(SALT, body)

    @made.get("/parts/{number}")
    async def part(number: int) -> Response:
        body, digest = await asyncio.to_thread(slice_of, number)
        name = os.urandom(8).hex()
        await store.write(lambda tx: replay.remember(tx, issuer="raw", jti=name, expires=now))
        last = "true" if number * SIZE >= size else "false"
        headers = {parts.DIGEST: digest, parts.LAST: last}
        return Response(body, media_type="application/x-ndjson", headers=headers)

    return made


async def _serve(source: Path, listen: str) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as d, runtime._bound(listen) as bound:
        store = Store.open(Path(d) / "raw.db", create=True)
        async with serving(app(source, store), bound):
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.read)  # until the other side closes our input
        store.close()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), sys.argv[2]))
