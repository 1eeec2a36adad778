"""Whether the node lives, and whether it can do its work."""

from fastapi import APIRouter, Response

from connector.http.problems import json_response
from connector.services.node import Node
from connector.services.operate import quarantine


def router(node: Node) -> APIRouter:
    """`/health/live` answers while the process runs, `/health/ready` while it can keep promises."""
    made = APIRouter()

    @made.get("/health/live")
    async def live() -> Response:
        return json_response({"status": "live"})

    @made.get("/health/ready")
    async def ready() -> Response:
        now = node.clock.now()
        held, timely = await node.store.read(
            lambda tx: (quarantine.current(tx) is not None, node.log.timely(tx, now))
        )
        checks = {
            "clock": timely,
            "delivery": node.worker.alive,
            "log": node.log.size > 0 and node.keeping.running("log"),
            "monitor": node.keeping.running("monitor"),
            "store": node.store.stopped is None,
        }
        healthy = all(checks.values())
        # In quarantine a node keeps all its promises but one: it is ready, and says so.
        body = {
            "status": "ready" if healthy else "not ready",
            "checks": checks,
            "quarantine": held,
        }
        return json_response(body, 200 if healthy else 503)

    return made
