"""schemathesis over both OpenAPI documents, against a real node: it finds nothing.

`/v1/changes` is left out, because it waits by design, and `/v1/peers/look-back`, whose answer is a
peer's (a 503 when that one does not look); both are tested by hand. Whether data that fit a schema
are accepted is not asked: what a message *means* is in no schema.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.profile import configured
from tests.support.nodes import NodeProcess, free_port

pytestmark = pytest.mark.slow

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_schema_conformance", "negative_data_rejection", "unsupported_method"),
)
EXAMPLES = 10


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    made = NodeProcess.init(tmp_path_factory.mktemp("schemathesis") / "node")
    configured(made, free_port())
    try:
        yield made.start()
    finally:
        made.kill()


@pytest.mark.parametrize("port", ["management", "public"])
def test_it_finds_nothing(node: NodeProcess, port: str, tmp_path: Path):
    path = tmp_path / f"{port}.json"
    path.write_text(json.dumps(node.client().get("/v1/openapi", port=port)), "utf-8")
    address = {"management": node.management, "public": node.public}[port]
    secret = (node.folder / "tokens" / "partner").read_text("ascii")
    token = node.token("operator") if port == "management" else secret
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "run", path, "--no-color"),
            *("--url", f"http://127.0.0.1:{address}", "-H", f"Authorization: Bearer {token}"),
            *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", str(EXAMPLES), "--seed", "1", "--exclude-path", "/v1/changes"),
            *("--exclude-path", "/v1/peers/look-back"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-500:]
    assert "request-failed" not in node.said()
