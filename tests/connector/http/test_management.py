"""The management port under abuse, and who may do what."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from catalog.verify import verify_document
from connector.services.access import ROLES
from tests.support.ports import Knocker, Ports
from tests.support.telling import assert_tells

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
NOBODY = "urn:uuid:00000000-0000-4000-8000-000000000000"
READS = ("node", "peers", "datasets", "negotiations", "agreements", "transfers")

ASKING = ("operator", "researcher")
MOVING = ("operator", "researcher", "dpo")
MATRIX: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("POST", "tokens", {"name": "N", "role": "auditor"}, ("operator",)),
    ("POST", "peers", {"did": "did:web:localhost%3A1"}, ("operator", "steward")),
    ("POST", "peers/groups", {"did": "did:web:x.example", "groups": []}, ("operator", "steward")),
    ("POST", "peers/look-back", {"did": "did:web:localhost%3A1"}, ("operator", "steward")),
    ("DELETE", "peers/did:web:x.example?reason=x", {}, ("operator", "steward")),
    ("DELETE", "peers/did:web:x.example?reason=x&terminate=true", {}, ("operator",)),
    ("POST", "datasets", {}, ("operator", "steward")),
    ("POST", "datasets/nothing/withdrawal", {}, ("operator", "steward")),
    ("POST", "requests", {"dataset": "x", "application": {}}, ASKING),
    ("POST", f"negotiations/{NOBODY}/applications", {"application": {}}, ASKING),
    ("POST", f"negotiations/{NOBODY}/acceptance", {}, ASKING),
    ("POST", f"negotiations/{NOBODY}/termination", {"reason": "x"}, MOVING),
    (
        "POST",
        f"negotiations/{NOBODY}/decisions",
        {"role": "dpo", "outcome": "approve"},
        ("dpo",),
    ),
    (
        "POST",
        f"negotiations/{NOBODY}/decisions",
        {"role": "ethics", "outcome": "approve"},
        ("ethics",),
    ),
    ("GET", f"agreements/{NOBODY}/bundle", {}, ("operator", "auditor", "dpo")),
    ("POST", "transfers", {"agreement": NOBODY}, ASKING),
    ("POST", "transfers", {"agreement": NOBODY, "again": False}, ASKING),
    ("POST", f"transfers/{NOBODY}/fetch", {}, ASKING),
    ("POST", f"transfers/{NOBODY}/suspension", {"reason": "x"}, MOVING),
    ("POST", f"transfers/{NOBODY}/resumption", {}, MOVING),
    ("POST", f"transfers/{NOBODY}/termination", {"reason": "x"}, MOVING),
    ("GET", f"transfers/{NOBODY}/files/data.ndjson", {}, (*MOVING, "auditor")),
    ("POST", "consents", {"status": "given"}, ("dpo", "steward")),
    ("POST", "consents/import", {}, ("dpo", "steward")),
    ("POST", "consents/state", {}, ("dpo", "steward")),
]


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document (RFC 9457), in two languages."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert_tells(body)
    return body


@pytest.mark.parametrize(("method", "path", "body", "roles"), MATRIX)
async def test_who_may_do_what(
    ports: Ports, method: str, path: str, body: dict[str, Any], roles: tuple[str, ...]
):
    for role in ROLES:
        headers = await ports.role(role)
        options: dict[str, Any] = {"json": body} if method == "POST" else {}
        answer = await ports.management(method, f"/v1/{path}", headers=headers, **options)
        if role in roles:
            assert answer.status_code != 403, (role, answer.text)
        else:
            assert (answer.status_code, problem(answer)["code"]) == (403, "access-role"), role


async def test_nobody_decides_in_the_name_of_another_role(ports: Ports):
    body = {"role": "operator", "outcome": "approve"}
    headers = await ports.role("operator")
    path = f"/v1/negotiations/{ports.pid}/decisions"
    answer = await ports.management("POST", path, headers=headers, json=body)
    assert (answer.status_code, problem(answer)["code"]) == (409, "decision-not-awaited")


@pytest.mark.parametrize("path", READS)
async def test_reading_asks_for_a_token_too(ports: Ports, path: str):
    answer = await ports.management("GET", f"/v1/{path}")
    assert (answer.status_code, problem(answer)["code"]) == (401, "http-no-token")
    for header in (ports.peer(), {"Authorization": "Bearer preau_00"}):
        answer = await ports.management("GET", f"/v1/{path}", headers=header)
        assert (answer.status_code, problem(answer)["code"]) == (401, "access-token-unknown")
    answer = await ports.management("GET", f"/v1/{path}", headers=await ports.role("auditor"))
    assert answer.status_code == 200


async def test_health_tells_nothing_and_asks_nothing(ports: Ports):
    for name in ("live", "ready"):
        answer = await ports.management("GET", f"/health/{name}")
        assert answer.status_code in {200, 503}
        assert "did:" not in answer.text


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "protocol-json-invalid"),
        (b"[]", "protocol-json-root"),
        (b'{"name": "\xff"}', "protocol-json-encoding"),
        (b'{"name": "a", "name": "b"}', "protocol-json-duplicate-key"),
        (b'{"name": NaN}', "protocol-json-number"),
        (b'{"name": ' + b"[" * 3000 + b"]" * 3000 + b"}", "protocol-json-too-deep"),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', "http-too-large"),
        (b'{"name": 7, "role": "dpo"}', "http-member"),
        (b'{"name": "N"}', "http-member"),
        (b'{"name": "N", "role": "king"}', "access-role-unknown"),
        (b'{"name": "' + b"x" * 300 + b'", "role": "dpo"}', "access-name"),
    ],
)
async def test_a_bad_body(ports: Ports, content: bytes, code: str):
    headers = {**JSON, **await ports.role("operator")}
    before = await ports.state()
    answer = await ports.management("POST", "/v1/tokens", headers=headers, content=content)
    assert (answer.status_code, problem(answer)["code"]) == (400, code)
    assert await ports.state() == before


async def test_a_body_that_is_no_json(ports: Ports):
    headers = {"Content-Type": "text/plain", **await ports.role("operator")}
    answer = await ports.management("POST", "/v1/tokens", headers=headers, content=b"{}")
    assert (answer.status_code, problem(answer)["code"]) == (400, "http-media-type")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"negotiations/{NOBODY}?wait=x", 400),
        (f"negotiations/{NOBODY}?wait=nan", 400),
        (f"negotiations/{NOBODY}?wait=-1", 400),
        ("catalogs", 400),
        ("catalogs?peer=did:web:nobody", 404),
        (f"negotiations/{NOBODY}", 404),
        ("negotiations/..%2f..%2fpreau.toml", 404),
        (f"agreements/{NOBODY}", 404),
        (f"agreements/{NOBODY}/plan", 404),
        (f"agreements/{NOBODY}/bundle", 404),
        (f"transfers/{NOBODY}", 404),
        ("datasets/..%2f..%2fkeys", 404),
        ("nothing", 404),
        ("openapi.json", 404),
    ],
)
async def test_a_bad_address(ports: Ports, path: str, status: int):
    answer = await ports.management("GET", f"/v1/{path}", headers=await ports.role("operator"))
    assert answer.status_code == status, answer.text
    problem(answer)


@pytest.mark.parametrize("name", ["..%2f..%2fpreau.toml", "%2e%2e", "data.ndjson.partial", "%00"])
async def test_a_file_name_leads_nowhere_else(ports: Ports, name: str):
    path = f"/v1/transfers/{ports.transfer}/files/{name}"
    answer = await ports.management("GET", path, headers=await ports.role("operator"))
    assert answer.status_code == 404
    problem(answer)


@pytest.mark.parametrize("parts", ["x", 0, -1, 1.5, True, [1]])
async def test_a_number_of_parts_that_is_none(ports: Ports, parts: Any):
    path = f"/v1/transfers/{ports.transfer}/fetch"
    headers = await ports.role("operator")
    answer = await ports.management("POST", path, headers=headers, json={"parts": parts})
    assert (answer.status_code, problem(answer)["code"]) == (400, "http-member")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/v1/node"), ("PUT", "/v1/datasets")])
async def test_a_method_that_is_not_taken(ports: Ports, method: str, path: str):
    answer = await ports.management(method, path, headers=await ports.role("operator"))
    assert (answer.status_code, problem(answer)["code"]) == (405, "http-method")


@pytest.mark.parametrize(
    "options",
    [
        {"json": {}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"files": {"about": ("a.toml", b"")}},
        {"files": {"file": ("t.jsonl", b"{}")}, "data": {"about": "text"}},
        {"files": [("about", ("a", b"")), ("file", ("t", b"")), ("more", ("m", b""))]},
    ],
    ids=["json", "no boundary", "no part", "one part", "a text", "a third file"],
)
async def test_an_upload_of_another_form(ports: Ports, options: dict[str, Any]):
    headers = {**options.get("headers", {}), **await ports.role("steward")}
    before = await ports.state()
    given = {**options, "headers": headers}
    answer = await ports.management("POST", "/v1/datasets", **given)
    assert (answer.status_code, problem(answer)["code"]) == (400, "http-upload-parts")
    assert await ports.state() == before
    assert not list((ports.node.folder / "uploads").glob("*"))


async def test_a_share_of_faulty_rows_that_is_none(ports: Ports):
    for share in ("x", "nan", "-1", "2"):
        answer = await ports.management(
            "POST",
            "/v1/datasets",
            headers=await ports.role("steward"),
            files={"about": ("a.toml", b"x"), "file": ("t.jsonl", b"{}")},
            data={"max_bad": share},
        )
        assert (answer.status_code, problem(answer)["code"]) == (400, "http-member")


class TestRemovingAPeer:
    """What a DELETE of a peer may be asked with, and by whom."""

    @pytest.mark.parametrize(
        ("named", "query", "status", "code"),
        [
            ("{known}", "", 400, "http-member"),
            ("{known}", "reason=", 400, "http-member"),
            ("{known}", "reason=%20%0a", 400, "http-member"),
            ("{known}", "terminate=true", 400, "http-member"),
            ("{known}", "reason=x&terminate=perhaps", 400, "http-member"),
            ("{known}", "reason=x", 409, "peer-in-use"),
            ("{known}", "reason=x&terminate=false", 409, "peer-in-use"),
            ("{known}%20", "reason=x&terminate=true", 404, "peer-unknown"),
            ("did:web:nobody.example", "reason=x&terminate=true", 404, "peer-unknown"),
            ("", "reason=x&terminate=true", 404, "peer-unknown"),
            ("%00", "reason=x", 404, "peer-unknown"),
            ("%ff%fe", "reason=x", 404, "peer-unknown"),
            ("..%2f..%2fpreau.toml", "reason=x", 404, "peer-unknown"),
            ("%27%20OR%201=1--", "reason=x&terminate=true", 404, "peer-unknown"),
            ("x" * 20_000, "reason=x", 404, "peer-unknown"),
        ],
    )
    async def test_asked_badly(self, ports: Ports, named: str, query: str, status: int, code: str):
        before, headers = await ports.state(), await ports.role("operator")
        known = quote(ports.nodes.consumer.did, safe="")
        path = f"/v1/peers/{named.format(known=known)}?{query}"
        answer = await ports.management("DELETE", path, headers=headers)
        assert (answer.status_code, problem(answer)["code"]) == (status, code)
        after = await ports.state()
        assert {**after, "leaf": 0} == {**before, "leaf": 0}
        listed = (await ports.management("GET", "/v1/peers", headers=headers)).json()
        assert ports.nodes.consumer.did in [one["did"] for one in listed]

    async def test_by_a_peer_or_nobody(self, ports: Ports):
        path = f"/v1/peers/{quote(ports.stranger.did, safe='')}?reason=x"
        for headers, code in (
            ({}, "http-no-token"),
            (ports.peer(ports.stranger), "access-token-unknown"),
            ({"Authorization": "Bearer preau_00"}, "access-token-unknown"),
        ):
            answer = await ports.management("DELETE", path, headers=headers)
            assert (answer.status_code, problem(answer)["code"]) == (401, code)
        assert (await ports.public("DELETE", path)).status_code == 404

    async def test_once_and_again(self, ports: Ports, tmp_path: Path):
        other = await Knocker.known_to(ports.node, tmp_path / "other", 9302)
        path = f"/v1/peers/{quote(other.did, safe='')}"
        headers, reason = await ports.role("steward"), "Fermé. " * 500
        first = await ports.management("DELETE", f"{path}?reason={quote(reason)}", headers=headers)
        assert (first.status_code, first.json()["reason"]) == (200, reason.strip())
        state = await ports.state()
        again = await ports.management("DELETE", f"{path}?reason=other", headers=headers)
        assert (again.status_code, again.json()) == (200, first.json())
        assert await ports.state() == state
        asked = await ports.public("GET", "/catalogs", headers=ports.peer(other))
        assert asked.status_code == 404

    async def test_other_methods_have_no_such_address(self, ports: Ports):
        for method in ("GET", "POST", "PUT", "PATCH"):
            answer = await ports.management(
                method, "/v1/peers/did:web:x.example", headers=await ports.role("operator")
            )
            assert (answer.status_code, problem(answer)["code"]) == (405, "http-method")


async def test_an_identifier_of_a_learner_is_not_repeated(ports: Ports):
    body = {
        "status": "given",
        "subject": {"type": "mbox", "value": "jeanne.dupont@school.example"},
        "recipient": "everybody",
        "purpose": "x",
        "category": "x",
    }
    answer = await ports.management(
        "POST", "/v1/consents", headers=await ports.role("dpo"), content=json.dumps(body)
    )
    assert answer.status_code == 400
    answer = await ports.management(
        "POST", "/v1/consents", headers=await ports.role("dpo"), json=body
    )
    assert answer.status_code in {400, 422}
    assert "dupont" not in json.dumps(problem(answer))


KNOCKER = "did:web:localhost%3A9301"


@pytest.mark.parametrize(
    ("path", "body", "member"),
    [
        ("peers", {"did": KNOCKER, "groups": "labs"}, "groups"),  # not the groups a, b, l and s
        ("peers", {"did": KNOCKER, "groups": {"labs": True}}, "groups"),
        ("peers", {"did": KNOCKER, "groups": 7}, "groups"),
        ("peers", {"did": KNOCKER, "groups": False}, "groups"),
        ("peers", {"did": KNOCKER, "groups": [["labs"]]}, "groups"),
        ("peers", {"did": KNOCKER, "name": {"fr": "Labo"}}, "name"),
        ("peers", {"did": KNOCKER, "signaled": "yes"}, "signaled"),
        ("peers", {"did": KNOCKER, "edc": "http://localhost:1"}, "edc"),
        ("peers", {"did": KNOCKER, "edc": {"dsp": "http://x/dsp", "data": "http://x"}}, "data"),
        ("peers/groups", {"did": KNOCKER}, "groups"),
        ("peers/groups", {"did": KNOCKER, "groups": "labs"}, "groups"),
        ("datasets/traces/withdrawal", {"reason": ["over"]}, "reason"),
        ("requests", {"peer": "x", "dataset": "x", "terms": []}, "terms"),
        ("offers", {"peer": "x", "dataset": "x", "offer": 7}, "offer"),
        ("transfers", {"agreement": NOBODY, "format": ["ndjson"]}, "format"),
        ("transfers", {"agreement": NOBODY, "push": "yes"}, "push"),
        ("transfers", {"agreement": NOBODY, "again": 0}, "again"),
        ("transfers/{transfer}/suspension", {"reason": {"a": 1}}, "reason"),
        ("transfers/{transfer}/termination", {"reason": 7}, "reason"),
    ],
)
async def test_a_member_of_another_kind_is_named_and_changes_nothing(
    ports: Ports, path: str, body: dict[str, Any], member: str
):
    headers = await ports.role("operator")
    shown = [await ports.management("GET", f"/v1/{one}", headers=headers) for one in READS]
    path = path.format(transfer=ports.transfer)
    answer = await ports.management("POST", f"/v1/{path}", headers=headers, json=body)
    assert (answer.status_code, problem(answer)["code"]) == (400, "http-member"), answer.text
    assert f"“{member}”" in problem(answer)["en"]
    after = [await ports.management("GET", f"/v1/{one}", headers=headers) for one in READS]
    assert [one.json() for one in after] == [one.json() for one in shown]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("search?refresh=never", 200),
        ("search?refresh=never&limit=1&offset=2", 200),
        ("search?refresh=never&limit=-1", 400),
        ("search?refresh=never&limit=0", 400),
        ("search?refresh=never&limit=²", 400),
        ("search?refresh=never&offset=9999999999", 400),
        ("search?refresh=never&access=everybody", 400),
        ("search?refresh=perhaps", 400),
        ("changes?after=-1", 400),
        ("changes?after=9007199254740993", 400),
        ("changes?after=0&wait=nan", 400),
        ("openapi?port=other", 400),
    ],
)
async def test_a_question_is_answered_or_refused_in_words(ports: Ports, query: str, status: int):
    answer = await ports.management("GET", f"/v1/{query}", headers=await ports.role("auditor"))
    assert answer.status_code == status
    if status == 400:
        problem(answer)


async def test_the_copies_kept_here_are_listed_and_handed_out_to_be_verified(ports: Ports):
    headers = await ports.role("auditor")
    (own,) = (await ports.management("GET", "/v1/copies", headers=headers)).json()
    assert (own["publisher"], own["group"], own["whole"]) == (ports.node.did, "public", True)
    of, place = {"publisher": ports.node.did}, "/v1/copies/catalog"
    answer = await ports.management("GET", place, headers=headers, params=of)
    checked = verify_document(answer.json()["catalog"], answer.json()["did_document"])
    assert checked["datasets"] == [ports.dataset]
    of = {"publisher": "did:web:nobody.example"}
    answer = await ports.management("GET", place, headers=headers, params=of)
    assert (answer.status_code, problem(answer)["code"]) == (404, "discovery-no-copy")
