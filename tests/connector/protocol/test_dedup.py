"""Repeats are recognised, fresh acts with the same bytes are not mistaken for them."""

from collections.abc import Mapping

import pytest

from connector.protocol import dedup
from connector.protocol.dedup import message_digest, opens
from connector.protocol.errors import RemoteProtocolError
from policies.jcs import jcs

PEER = "did:web:lab.example"
REQUEST = {"@type": "ContractRequestMessage", "consumerPid": "urn:c", "offer": {"@id": "urn:o"}}
SUSPEND = {"@type": "TransferSuspensionMessage", "providerPid": "urn:p", "consumerPid": "urn:c"}


def message_key(peer: str, wire: Mapping[str, object]) -> str:
    return dedup.message_key(peer, wire, message_digest(wire))


def repeated(wire: Mapping[str, object], seen: str | None, *, legal_now: bool) -> bool:
    return dedup.repeated(wire, message_digest(wire), seen, legal_now=legal_now)


def test_the_key_is_who_what_which_process_and_which_content():
    key = message_key(PEER, SUSPEND)
    assert key.startswith("sha-256:")
    assert message_key(PEER, dict(reversed(SUSPEND.items()))) == key
    others = [
        message_key("did:web:other.example", SUSPEND),
        message_key(PEER, {**SUSPEND, "consumerPid": "urn:d"}),
        message_key(PEER, {**SUSPEND, "providerPid": "urn:d"}),
        message_key(PEER, {**SUSPEND, "@type": "TransferStartMessage"}),
        message_key(PEER, {**SUSPEND, "consumerPid": "urn:p", "providerPid": "urn:c"}),
        message_key(PEER, {**SUSPEND, "reason": ["x"]}),
        message_key(PEER, {**SUSPEND, "@id": "urn:m"}),
    ]
    assert len({key, *others}) == 8


def test_a_first_message_is_known_by_its_senders_pid():
    key = message_key(PEER, REQUEST)
    assert message_key(PEER, {**REQUEST, "offer": {"@id": "urn:other"}, "@id": "urn:m"}) == key
    assert message_key(PEER, {**REQUEST, "@type": "dspace:ContractRequestMessage"}) == key
    assert message_key(PEER, {**REQUEST, "consumerPid": "urn:d"}) != key
    assert message_key("did:web:other.example", REQUEST) != key


def test_only_a_first_message_names_one_pid():
    assert opens(REQUEST)
    assert not opens({**REQUEST, "providerPid": "urn:p"})
    assert opens({"@type": "ContractOfferMessage", "providerPid": "urn:p"})
    assert opens({"@type": "TransferRequestMessage", "consumerPid": "urn:c"})
    assert opens({**REQUEST, "providerPid": None})
    assert not opens(SUSPEND)


def test_attempts_of_a_first_message_may_be_numbered():
    first, second = ({**REQUEST, "@id": name} for name in ("urn:m1", "urn:m2"))
    assert message_digest(first) == message_digest(second) == message_digest(REQUEST)
    assert message_digest({**SUSPEND, "@id": "urn:m1"}) != message_digest(SUSPEND)


def test_white_space_and_order_do_not_matter():
    assert message_digest(SUSPEND) == message_digest(dict(reversed(SUSPEND.items())))
    assert message_digest(SUSPEND, jcs(SUSPEND)) == message_digest(SUSPEND)


def test_a_first_message_again_is_a_repeat_and_another_one_a_conflict():
    seen = message_digest(REQUEST)
    assert not repeated(REQUEST, None, legal_now=False)
    assert repeated({**REQUEST, "@id": "urn:m2"}, seen, legal_now=False)
    with pytest.raises(RemoteProtocolError, match="protocol-message-conflict"):
        repeated({**REQUEST, "offer": {"@id": "urn:other"}}, seen, legal_now=False)


@pytest.mark.parametrize(
    ("name", "legal_now", "expected"),
    [("urn:m1", True, True), ("urn:m1", False, True), (None, True, False), (None, False, True)],
)
def test_the_same_bytes_later_on(name, legal_now, expected):
    wire = {**SUSPEND, "@id": name} if name else SUSPEND
    assert repeated(wire, message_digest(wire), legal_now=legal_now) is expected
