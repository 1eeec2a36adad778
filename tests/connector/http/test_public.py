"""The public port under abuse: every refusal has its status, its document, and no effect."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connector.http.dsp import GETS, POSTS
from connector.services.show import views
from tests.support.ports import CONTEXT, DSP, Ports
from tests.support.telling import assert_tells, assert_tells_peer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Validate = Callable[[str, object], None]
JSON = {"Content-Type": "application/json"}
NOBODY = "urn:uuid:00000000-0000-4000-8000-000000000000"
ERRORS = {
    "catalog": "catalog/catalog-error",
    "negotiation": "negotiation/contract-negotiation-error",
    "transfer": "transfer/transfer-error",
}
ROUTES = [("POST", route.path, route.error) for route in POSTS]
ROUTES += [("GET", path, error) for path, _, error in GETS]

DEEP = b'{"@context":' + b"[" * 2000 + b"]" * 2000 + b"}"
BODIES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"hello", "protocol-json-invalid"),
    "empty": (b"", "protocol-json-invalid"),
    "half": (b'{"@type": ', "protocol-json-invalid"),
    "two documents": (b"{}{}", "protocol-json-invalid"),
    "an array": (b"[]", "protocol-json-root"),
    "invalid UTF-8": (b'{"@type": "\xff\xfe"}', "protocol-json-encoding"),
    "UTF-16": ('{"@type": "x"}'.encode("utf-16"), "protocol-json-encoding"),
    "byte order mark": (b'\xef\xbb\xbf{"@type": "x"}', "protocol-json-encoding"),
    "deep": (DEEP, "protocol-json-too-deep"),
    "deeper": (b"[" * 300_000, "protocol-json-"),
    "duplicate keys": (b'{"@type": "a", "@type": "b"}', "protocol-json-duplicate-key"),
    "NaN": (b'{"@type": NaN}', "protocol-json-number"),
    "infinite": (b'{"@type": 1e999}', "protocol-json-number"),
    "huge integer": (b'{"@type": ' + b"9" * 5000 + b"}", "protocol-json-number"),
    "surrogate": (b'{"@type": "\\ud800"}', "protocol-json-surrogate"),
    "wrong type": (b'{"@context": ["' + CONTEXT.encode() + b'"], "@type": "Nothing"}', "protocol-"),
    "no type": (b"{}", "protocol-"),
}


def path_of(template: str, pid: str = NOBODY) -> str:
    return DSP + template.replace("{pid:path}", pid).replace("{pid}", pid)


def refused(answer: httpx.Response, error: str, schemas: Validate) -> dict[str, Any]:
    """The DSP error document, valid and in two languages."""
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    schemas(ERRORS[error], body)
    assert_tells_peer(body["reason"])
    return body


@pytest.mark.parametrize(("method", "path", "error"), ROUTES)
async def test_no_token(ports: Ports, schemas: Validate, method: str, path: str, error: str):
    answer = await ports.public(method, path_of(path), headers=JSON, content=b"{}")
    assert (answer.status_code, refused(answer, error, schemas)["code"]) == (401, "http-no-token")


@pytest.mark.parametrize(("method", "path", "error"), ROUTES)
async def test_a_garbage_token(ports: Ports, schemas: Validate, method: str, path: str, error: str):
    for garbage in ("Bearer x", "Bearer a.b.c", "eyJ.eyJ.", "Bearer " + "A" * 20_000):
        headers = {**JSON, "Authorization": garbage}
        answer = await ports.public(method, path_of(path), headers=headers, content=b"{}")
        assert answer.status_code == 401
        assert refused(answer, error, schemas)["code"].startswith("identity-token-")


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_body(ports: Ports, schemas: Validate, name: str):
    body, code = BODIES[name]
    before = await ports.state()
    for route in POSTS:
        headers = {**JSON, **ports.peer()}
        answer = await ports.public("POST", path_of(route.path), headers=headers, content=body)
        assert answer.status_code == 400
        assert refused(answer, route.error, schemas)["code"].startswith(code)
    assert await ports.state() == before


async def test_a_body_that_is_too_large(ports: Ports, schemas: Validate):
    body = b'{"x": "' + b"y" * ports.node.settings.limits.message_bytes + b'"}'
    for length in ({}, {"Transfer-Encoding": "chunked"}):
        headers = {**JSON, **ports.peer(), **length}
        answer = await ports.public(
            "POST", f"{DSP}/negotiations/request", headers=headers, content=body
        )
        assert answer.status_code == 400
        assert refused(answer, "negotiation", schemas)["code"] == "http-too-large"


@pytest.mark.parametrize(
    "declared", [None, "", "text/plain", "multipart/form-data", "application/xml"]
)
async def test_a_wrong_content_type(ports: Ports, schemas: Validate, declared: str | None):
    headers = ports.peer() | ({} if declared is None else {"Content-Type": declared})
    answer = await ports.public("POST", f"{DSP}/catalog/request", headers=headers, content=b"{}")
    assert answer.status_code == 400
    assert refused(answer, "catalog", schemas)["code"] == "http-media-type"


async def test_json_ld_with_a_charset_is_json(ports: Ports):
    headers = {"Content-Type": 'application/LD+json; charset="utf-8"', **ports.peer()}
    body = {"@context": [CONTEXT], "@type": "CatalogRequestMessage"}
    for path in ("/catalog/request", "/catalog/request/", "//catalog//request"):
        headers |= ports.peer()
        answer = await ports.public(
            "POST", DSP + path, headers=headers, content=json.dumps(body).encode()
        )
        assert answer.status_code == 200
        assert answer.json()["@type"] == "Catalog"


# ------------------------------------------------------------------ what is not the caller's


def messages(pid: str) -> dict[str, dict[str, Any]]:
    """A well-formed message for each address with a pid in it."""
    both: dict[str, Any] = {"@context": [CONTEXT], "providerPid": pid, "consumerPid": NOBODY}
    offer = {"@type": "Offer", "@id": "urn:offer:1", "target": "urn:dataset:1"}
    rules = {"permission": [{"action": "odrl:use"}], "assigner": "did:web:a"}
    agreement = {**offer, **rules, "@type": "Agreement", "assignee": "did:web:b"}
    agreement["timestamp"] = "2026-01-01T00:00:00Z"
    named: dict[str, tuple[str, dict[str, Any]]] = {
        "/request": ("ContractRequestMessage", {"offer": {**offer, **rules}}),
        "/offers": ("ContractOfferMessage", {"offer": {**offer, **rules}}),
        "/agreement": ("ContractAgreementMessage", {"agreement": agreement}),
        "/verification": ("ContractAgreementVerificationMessage", {}),
        "/events": ("ContractNegotiationEventMessage", {"eventType": "FINALIZED"}),
        "/start": ("TransferStartMessage", {}),
        "/suspension": ("TransferSuspensionMessage", {"code": "x", "reason": ["x"]}),
        "/completion": ("TransferCompletionMessage", {}),
    }
    termination = {"code": "x", "reason": ["x"]}
    found = {end: {**both, "@type": kind, **more} for end, (kind, more) in named.items()}
    found["negotiations/termination"] = {
        **both,
        "@type": "ContractNegotiationTerminationMessage",
        **termination,
    }
    found["transfers/termination"] = {**both, "@type": "TransferTerminationMessage", **termination}
    return found


def message_for(path: str, pid: str) -> dict[str, Any]:
    room, _, end = path.strip("/").partition("/{pid}")
    found = messages(pid)
    return found.get(room + end) or found["/" + end.rpartition("/")[2]]


WITH_PID = [(route.path, route.error) for route in POSTS if "{pid}" in route.path]


@pytest.mark.parametrize(("path", "error"), WITH_PID)
async def test_another_party_s_pid_looks_like_none(
    ports: Ports, schemas: Validate, path: str, error: str
):
    """The provider itself is a known DID that is no party here: it gets what a stranger gets."""
    pid = ports.pid if error == "negotiation" else ports.transfer
    answers = []
    before = await ports.state()
    for asked in (pid, NOBODY):
        headers = {**JSON, **ports.peer(ports.stranger)}
        body = json.dumps(message_for(path, asked)).encode()
        answer = await ports.public("POST", path_of(path, asked), headers=headers, content=body)
        assert answer.status_code == 404, answer.text
        told = refused(answer, error, schemas)
        # The pids are those that the message named, and tell its sender nothing.
        assert (told.pop("providerPid"), told.pop("consumerPid")) == (asked, NOBODY)
        answers.append(told)
    assert answers[0] == answers[1]
    assert await ports.state() == before


@pytest.mark.parametrize(
    ("error", "state", "schema"),
    [
        ("negotiation", "FINALIZED", "negotiation/contract-negotiation"),
        ("transfer", "STARTED", "transfer/transfer-process"),
    ],
)
async def test_state_is_told_to_the_two_parties_only(
    ports: Ports, schemas: Validate, error: str, state: str, schema: str
):
    pid = ports.pid if error == "negotiation" else ports.transfer
    told = await ports.public("GET", f"{DSP}/{error}s/{pid}", headers=ports.peer())
    assert (told.status_code, told.json()["state"]) == (200, state)
    schemas(schema, told.json())
    other = await ports.public("GET", f"{DSP}/{error}s/{pid}", headers=ports.peer(ports.stranger))
    assert other.status_code == 404
    none = await ports.public("GET", f"{DSP}/{error}s/{NOBODY}", headers=ports.peer())
    assert refused(other, error, schemas) == refused(none, error, schemas)


@pytest.mark.parametrize(
    "pid", ["..", "%2e%2e", "%00", "x" * 5000, "a%2fb", "é", "'; DROP TABLE--"]
)
async def test_a_pid_that_is_none(ports: Ports, pid: str):
    answer = await ports.public("GET", f"{DSP}/negotiations/{pid}", headers=ports.peer())
    assert answer.status_code == 404


async def test_a_message_out_of_turn_changes_nothing(ports: Ports, schemas: Validate):
    before = await ports.state()
    for end in ("agreement/verification", "termination", "events"):
        path = f"/negotiations/{ports.pid}/{end}"
        wire = message_for(path.replace(ports.pid, "{pid}"), ports.pid)
        (peer_pid,) = await _peer_pid(ports)
        wire["consumerPid"] = peer_pid
        headers = {**JSON, **ports.peer()}
        answer = await ports.public(
            "POST", DSP + path, headers=headers, content=json.dumps(wire).encode()
        )
        assert answer.status_code == 400, answer.text
        refused(answer, "negotiation", schemas)
        # The peer has many negotiations: the error says which of them is meant.
        said = answer.json()
        assert (said["providerPid"], said["consumerPid"]) == (ports.pid, peer_pid)
    assert await ports.state() == before


async def test_a_dataset_that_is_not_there_is_not_negotiated(ports: Ports, schemas: Validate):
    """It is no negotiation that ends at once: there is none (so it is for one of another group)."""
    before = await ports.state()
    wire = {
        "@context": [CONTEXT],
        "@type": "ContractRequestMessage",
        "consumerPid": "urn:uuid:mine",
        "callbackAddress": ports.nodes.consumer.dsp,
        "offer": {
            "@type": "Offer",
            "@id": "urn:offer:1",
            "target": f"{ports.node.url}/datasets/none",
            "permission": [{"action": "use"}],
        },
    }
    headers = {**JSON, **ports.peer()}
    answer = await ports.public(
        "POST", f"{DSP}/negotiations/request", headers=headers, content=json.dumps(wire)
    )
    assert answer.status_code == 404
    assert refused(answer, "negotiation", schemas)["consumerPid"] == "urn:uuid:mine"
    assert await ports.state() == before


async def test_another_party_s_agreement_looks_like_none(ports: Ports, schemas: Validate):
    """Nothing is transferred under what others have agreed."""
    (agreement,) = await views.agreements(ports.nodes.consumer)
    root = "http://localhost:9301"  # the stranger's
    before = await ports.state()
    answers = []
    for asked in (agreement["id"], NOBODY):
        wire = {
            "@context": [CONTEXT],
            "@type": "TransferRequestMessage",
            "consumerPid": "urn:uuid:mine",
            "agreementId": asked,
            "format": "HttpData-PULL",
            "callbackAddress": root + DSP,
        }
        headers = {**JSON, **ports.peer(ports.stranger)}
        answer = await ports.public(
            "POST", f"{DSP}/transfers/request", headers=headers, content=json.dumps(wire)
        )
        assert answer.status_code == 404, answer.text
        answers.append(refused(answer, "transfer", schemas))
    assert answers[0] == answers[1]
    assert await ports.state() == before


async def _peer_pid(ports: Ports) -> list[str]:
    return [(await views.negotiation(ports.node, ports.pid))["peer_pid"]]


async def test_a_management_token_opens_nothing_here(ports: Ports):
    headers = {**JSON, **await ports.role("operator")}
    answer = await ports.public("POST", f"{DSP}/catalog/request", headers=headers, content=b"{}")
    assert answer.status_code == 401


# ------------------------------------------------------------------------------ documents


@pytest.mark.parametrize("path", ["/catalog", "/datasets/traces", "/datasets/traces/v1"])
async def test_strong_etags(ports: Ports, path: str):
    first = await ports.public("GET", path)
    etag = first.headers["etag"]
    assert first.status_code == 200
    assert etag.startswith('"sha-256:')
    for known in (etag, f'"x", {etag}', f'{etag},"y"', f"W/{etag}", "*"):
        again = await ports.public("GET", path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b""), known
        assert again.headers["etag"] == etag
    for unknown in ('"x"', '"x", "y"', etag.strip('"'), ""):
        again = await ports.public("GET", path, headers={"If-None-Match": unknown})
        assert (again.status_code, again.content) == (200, first.content)


async def test_documents_need_no_token_and_accept_slashes(ports: Ports):
    for path in (f"{DSP}/negotiations/{ports.pid}", f"/data/{ports.transfer}/parts/1"):
        assert (await ports.public("HEAD", path, headers=ports.peer())).status_code == 405
    for path in ("/.well-known/did.json", "/.well-known/dspace-version", "/ns", "/log/checkpoint"):
        plain, slash = [await ports.public("GET", path + end) for end in ("", "/")]
        assert plain.status_code == slash.status_code == 200
        assert plain.content == slash.content


async def test_where_to_begin_is_told_in_valid_documents(ports: Ports, schemas: Validate):
    """Of a version, and in the DID document. The schema of its services lets all of them end in
    `/catalog`, against the text and the official example of a DataService (C13).
    """
    versions = await ports.public("GET", "/.well-known/dspace-version")
    schemas("common/protocol-version", versions.json())
    document = (await ports.public("GET", "/.well-known/did.json")).json()
    ends = {"CatalogService": "/catalog", "DataService": "/.well-known/dspace-version"}
    told = {one["type"]: one for one in document["service"] if one["type"] in ends}
    assert told.keys() == ends.keys()
    for kind, end in ends.items():
        base = told[kind]["serviceEndpoint"].removesuffix(end)
        assert base + end == told[kind]["serviceEndpoint"]
        schemas("common/did-service", {**told[kind], "serviceEndpoint": base + "/catalog"})


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/datasets/nobody",
        "/datasets/traces/v2",
        "/datasets/traces/v99999999999999999999999",
        "/datasets/..%2f..%2fkeys",
        "/datasets/%2e%2e/v1",
        "/log/tile/0/999",
        "/log/tile/..%2f..%2fpreau.toml",
        "/log/tile/0/../../preau.toml",
        "/log/tile/0/x000/000",
        "/log/tile/-1/000",
        "/log/tile/0/000.p/0",
        "/log/tile/0/000.p/257",
        "/log/tile/99999999999999999999/000",
        "/keys/token-1.pem",
        "/preau.toml",
        "/../preau.toml",
        "/v1/node",
        "/docs",
        "/openapi.json",
    ],
)
async def test_nothing_there(ports: Ports, path: str):
    answer = await ports.public("GET", path)
    assert answer.status_code in {400, 404}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert_tells(answer.json())
    assert "BEGIN" not in answer.text
    assert str(ports.node.folder) not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/catalog"),
        ("DELETE", "/datasets/traces"),
        ("PUT", "/log/checkpoint"),
        ("GET", f"{DSP}/catalog/request"),
        ("PATCH", f"{DSP}/negotiations/{NOBODY}"),
        ("POST", f"/data/{NOBODY}"),
    ],
)
async def test_a_method_that_is_not_taken(ports: Ports, method: str, path: str):
    answer = await ports.public(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "http-method")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path", "error", "status"),
    [
        ("GET", "/negotiations", "negotiation", 404),
        ("POST", "/negotiations/a%2Fb/request", "negotiation", 404),
        ("GET", "/transfers/a/b/c", "transfer", 404),
        ("POST", "/catalog/error", "catalog", 404),
        ("PUT", f"/negotiations/{NOBODY}", "negotiation", 405),
        ("GET", "/transfers/x/start", "transfer", 405),
    ],
)
async def test_what_no_route_of_dsp_takes_is_an_error_of_dsp(
    ports: Ports, schemas: Validate, method: str, path: str, error: str, status: int
):
    answer = await ports.public(method, DSP + path, headers=ports.peer())
    assert answer.status_code == status
    refused(answer, error, schemas)
    assert ("allow" in answer.headers) == (status == 405)


async def test_errors_name_the_pids_of_the_message(ports: Ports, schemas: Validate):
    """Whatever can be read of them; the rest is the nil pid."""
    nil = "urn:uuid:00000000-0000-0000-0000-000000000000"
    path = path_of("/transfers/{pid}/start")
    for sent, told in (
        ({"providerPid": NOBODY, "consumerPid": "urn:uuid:mine"}, (NOBODY, "urn:uuid:mine")),
        ({"consumerPid": "urn:uuid:mine"}, (nil, "urn:uuid:mine")),
        ({"providerPid": ["x"], "consumerPid": "a\nb"}, (nil, nil)),
        ({"providerPid": "x" * 3000, "consumerPid": ""}, (nil, nil)),
    ):
        body = {"@context": [CONTEXT], "@type": "TransferStartMessage", **sent}
        headers = {**JSON, **ports.peer()}
        answer = await ports.public("POST", path, headers=headers, content=json.dumps(body))
        found = refused(answer, "transfer", schemas)
        assert (found["providerPid"], found["consumerPid"]) == told


@pytest.mark.parametrize("name", ["Content-Type", "Content-Encoding", "Authorization"])
async def test_a_header_that_is_said_twice(ports: Ports, schemas: Validate, name: str):
    once = {**JSON, **ports.peer(), "Content-Encoding": "identity"}
    again = {"Content-Type": "text/plain", "Content-Encoding": "gzip", "Authorization": "Bearer x"}
    for pair in ([once, {name: again[name]}], [{name: again[name]}, once]):
        headers = [item for each in pair for item in each.items()]
        body = json.dumps({"@context": [CONTEXT], "@type": "CatalogRequestMessage"})
        answer = await ports.public("POST", DSP + "/catalog/request", headers=headers, content=body)
        assert answer.status_code == (401 if name == "Authorization" else 400)
        refused(answer, "catalog", schemas)


@pytest.mark.parametrize(
    "path", ["/datasets/traces/v" + "9" * 5000, "/data/x/parts/" + "9" * 5000, "/data/%00/manifest"]
)
async def test_a_number_that_python_does_not_read(ports: Ports, path: str):
    answer = await ports.public("GET", path, headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["code"]) == (404, "http-not-found")


async def test_a_size_with_thousands_of_zeros(ports: Ports):
    body = json.dumps({"@context": [CONTEXT], "@type": "CatalogRequestMessage"})
    headers = {**JSON, **ports.peer(), "Content-Length": "0" * 5000 + str(len(body))}
    answer = await ports.public("POST", DSP + "/catalog/request", headers=headers, content=body)
    assert answer.status_code == 200


async def test_many_spaces_in_a_condition_cost_nothing(ports: Ports):
    """A pattern that steps back took seconds for this, in which nobody was served."""
    known = {"If-None-Match": "a" + " " * 500_000 + "a"}
    assert (await ports.public("GET", "/catalog", headers=known)).status_code == 200


async def test_documents_answer_head(ports: Ports):
    for path in (
        "/.well-known/did.json",
        "/.well-known/dspace-version",
        "/catalog",
        "/health/live",
    ):
        got, head = [await ports.public(method, path) for method in ("GET", "HEAD")]
        assert (head.status_code, head.headers["content-type"]) == (
            200,
            got.headers["content-type"],
        )


# ----------------------------------------------------------------------------------- data


DATA = ["", "/parts/1", "/manifest"]


@pytest.mark.parametrize("path", DATA)
async def test_data_without_its_token_looks_like_none(ports: Ports, path: str):
    none = await ports.public("GET", f"/data/{NOBODY}{path}")
    assert (none.status_code, none.json()["code"]) == (401, "http-no-token")
    for headers in (ports.peer(), await ports.role("operator"), {"Authorization": "Bearer x"}):
        answer = await ports.public("GET", f"/data/{NOBODY}{path}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "release-unknown")


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "9" * 30, "%2e%2e"])
async def test_a_part_that_cannot_be(ports: Ports, number: str):
    headers = {"Authorization": f"Bearer {await ports.data_token()}"}
    answer = await ports.public("GET", f"/data/{ports.transfer}/parts/{number}", headers=headers)
    assert answer.status_code in {400, 404}, answer.text
    assert answer.json()["code"]


@pytest.mark.parametrize(
    "said", ["", "x", "1;1", "1;1;1;1", "0;0;0", "9" * 30 + ";1;hmac-sha-256:x"]
)
async def test_an_acknowledgement_of_nothing(ports: Ports, said: str):
    headers = {"Authorization": f"Bearer {await ports.data_token()}", "Preau-Ack": said}
    answer = await ports.public("GET", f"/data/{ports.transfer}/parts/1", headers=headers)
    assert answer.status_code in {400, 409}, answer.text
    assert answer.json()["code"]


async def test_a_receipt_that_is_none(ports: Ports):
    headers = {"Authorization": f"Bearer {await ports.data_token()}", **JSON}
    for body in (b"", b"{}", b"[]", b'{"manifest": NaN}', DEEP):
        answer = await ports.public(
            "POST", f"/data/{ports.transfer}/receipt", headers=headers, content=body
        )
        assert answer.status_code in {400, 422}, answer.text
        assert_tells(answer.json())


async def test_rows_are_not_in_refusals(ports: Ports):
    headers = {"Authorization": f"Bearer {await ports.data_token()}"}
    answer = await ports.public("GET", f"/data/{ports.transfer}/parts/7", headers=headers)
    assert answer.status_code == 400
    assert "learner" not in answer.text
