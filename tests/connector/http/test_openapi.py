"""The OpenAPI documents say what is served: every route, every body, nothing that is not there."""

import pytest

from connector.http import management, openapi, public
from tests.support.ports import Ports

BOTH = ["management", "public"]


def app_of(ports: Ports, port: str):
    return management.app(ports.node) if port == "management" else public.app(ports.node)


@pytest.mark.parametrize("port", BOTH)
async def test_every_post_has_a_body_in_a_table(ports: Ports, port: str):
    posts = [
        path for path, method, _ in openapi.operations(app_of(ports, port)) if method == "post"
    ]
    assert posts
    assert [path for path in posts if not openapi.body_of(path) and path not in openapi.EMPTY] == []


async def test_no_entry_is_idle(ports: Ports):
    paths = {path for port in BOTH for path, _, _ in openapi.operations(app_of(ports, port))}
    tables = (openapi.BODIES, openapi.OTHER_BODIES, openapi.QUERIES, openapi.MEDIA, openapi.EMPTY)
    assert [path for table in tables for path in table if path not in paths] == []


async def test_both_documents_are_told_to_people(ports: Ports):
    for port, path in (("management", "/v1/changes"), ("public", "/dsp/2025-1/catalog/request")):
        answer = await ports.management(
            "GET", f"/v1/openapi?port={port}", headers=await ports.role("operator")
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["openapi"].startswith("3.1")
        assert path in answer.json()["paths"]


async def test_to_nobody_else(ports: Ports):
    assert (await ports.management("GET", "/v1/openapi")).status_code == 401
