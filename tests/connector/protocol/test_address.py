"""Data addresses in every spelling that occurs."""

from typing import Any

import pytest

from connector.protocol.messages import DataAddress, read_address
from policies.problem import Problem

EDC = "https://w3id.org/edc/v0.0.1/ns/"
SALT = "https://w3id.org/preau/ns#partSalt"


def wire(*properties: tuple[object, object], **more: object) -> dict[str, Any]:
    listed = [{"@type": "EndpointProperty", "name": n, "value": v} for n, v in properties]
    return {"@type": "DataAddress", "endpointType": "x", "endpointProperties": listed, **more}


def test_ours_carries_both_spellings():
    address = DataAddress.pull("https://m.example/data/1", "secret", "salt")
    listed: Any = address.wire()["endpointProperties"]
    written = {p["name"]: p["value"] for p in listed}
    assert written["authorization"] == written[EDC + "authorization"] == "secret"
    assert written["authType"] == written[EDC + "authType"] == "bearer"
    assert written[EDC + "endpoint"] == address.wire()["endpoint"] == "https://m.example/data/1"
    assert written[SALT] == "salt"
    assert read_address(address.wire()) == address
    assert DataAddress.pull("https://m.example", "t").part_salt is None


def test_an_address_never_shows_its_secrets():
    shown = repr(DataAddress.pull("https://m.example/data/1", "secret", "salt"))
    assert "secret" not in shown
    assert "'salt'" not in shown


@pytest.mark.parametrize("prefix", ["", EDC])
def test_either_spelling_is_read(prefix):
    address = read_address(
        wire((prefix + "endpoint", "https://e.example"), (prefix + "authorization", "jwt"))
    )
    assert (address.url, address.authorization) == ("https://e.example", "jwt")


def test_mixed_spellings_are_read():  # EDC 0.18 behind Data Plane Signaling
    address = read_address(
        wire(("authorization", "jwt"), ("authType", "bearer"), (EDC + "endpoint", "https://e.x"))
    )
    assert (address.url, address.authorization, address.get("authType")) == (
        "https://e.x",
        "jwt",
        "bearer",
    )
    assert read_address(wire(endpoint="https://top.example")).url == "https://top.example"
    assert read_address({"@type": "dspace:DataAddress", "endpointType": "x"}).url is None


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (wire(("authorization", "a"), (EDC + "authorization", "b")), "protocol-address-ambiguous"),
        (wire(("authorization", "a"), ("authorization", "b")), "protocol-address-ambiguous"),
        (wire(("endpoint", "https://a"), endpoint="https://b"), "protocol-address-ambiguous"),
        (wire((SALT, "a"), (SALT, "b")), "protocol-address-ambiguous"),
        (wire(("authorization", 7)), "protocol-not-text"),
        (wire(("authorization", "a\r\nX: y")), "protocol-not-text"),
        (wire(("authorization", "x" * 16_385)), "protocol-not-text"),
        (wire(("", "x")), "protocol-not-text"),
        (wire(endpointProperties=["x"]), "protocol-not-object"),
        (wire(endpointProperties=[{}] * 65), "protocol-not-object"),
        (wire(endpointType=None), "protocol-member-missing"),
        ({"endpointType": "x"}, "protocol-type-unexpected"),
        ({"@type": ["DataAddress"], "endpointType": "x"}, "protocol-type-unexpected"),
    ],
)
def test_broken_addresses_are_refused(found, code):
    with pytest.raises(Problem) as caught:
        read_address(found)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)
