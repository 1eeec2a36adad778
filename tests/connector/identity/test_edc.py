"""The profile of an EDC with mock identity: what is read, what is sent, what is refused."""

import json

import pytest

from connector.identity import edc
from connector.identity.resolver import DidResolver
from policies.problem import Problem
from tests.connector.identity.conftest import Net
from tests.support.clock import ManualClock

DSP = "https://edc.example/protocol/2025-1"


@pytest.mark.parametrize(
    "header",
    [
        '{"region":"eu","audience":"https://us.example","clientId":"edc-1"}',
        '{"audience":null,"clientId":"edc-1"}',
        '{ "clientId" : "edc-1" }',
    ],
)
def test_both_generations_name_their_sender(header: str):
    assert edc.spoken(header)
    assert edc.read(header) == "edc-1"


@pytest.mark.parametrize(
    "header",
    [
        "{}",
        "{",
        '{"clientId":1}',
        '{"clientId":""}',
        '{"clientId":"did:web:bank.example"}',
        '{"clientId":"a","clientId":"b"}',
        '{"clientId":"two words"}',
        json.dumps({"clientId": "a" * 300}),
        json.dumps({"x": "y" * 9000, "clientId": "edc-1"}),
    ],
)
def test_what_names_nobody_is_refused(header: str):
    with pytest.raises(Problem, match="identity-edc-header"):
        edc.read(header)


def test_a_token_is_no_mock_identity():
    assert not edc.spoken("eyJhbGciOiJFUzI1NiJ9.e30.c2ln")


def test_ours_is_what_an_edc_parses():
    header = edc.authorization("did:web:us.example", DSP)
    assert " " not in header
    assert json.loads(header) == {
        "region": "eu",
        "audience": DSP,
        "clientId": "did:web:us.example",
    }


def test_a_participant_has_addresses_and_no_keys():
    document = edc.participant(
        "edc-1", DSP + "/", ["https://data.example:9291/public/", "https://sink.example"]
    )
    assert (document.dsp, document.signs) == (DSP, False)
    document.check_address("https://edc.example/protocol/2025-1/negotiations/1")
    document.check_address("https://data.example:9291/public")
    document.check_address("https://sink.example/rows")
    for url in ("https://data.example/public", "http://edc.example", "https://169.254.169.254/"):
        with pytest.raises(Problem, match="identity-address-foreign"):
            document.check_address(url)
    with pytest.raises(Problem, match="identity-key-unknown"):
        document.assertion_key("edc-1#key")


@pytest.mark.parametrize("name", ["did:web:bank.example", "", "two words", "-x", "a" * 201])
def test_names_that_are_none(name: str):
    with pytest.raises(Problem, match="identity-edc-name"):
        edc.participant(name, DSP)


@pytest.mark.parametrize("url", ["", "ftp://x", "https://x/?q", "https://x/#f", "https://a@b/"])
def test_addresses_that_are_none(url: str):
    with pytest.raises(Problem, match=r"identity-(edc-)?url"):
        edc.participant("edc-1", url)


async def test_what_configuration_says_is_never_fetched_and_never_old(net: Net):
    clock = ManualClock()
    resolver = DidResolver(net, clock)
    with pytest.raises(Problem, match="identity-did-method"):
        await resolver.document("edc-1")
    resolver.pin(edc.participant("edc-1", DSP))
    clock.advance(10**6)
    assert (await resolver.document("edc-1")).dsp == DSP
    assert (await resolver.refresh("edc-1")).dsp == DSP
    assert not net.asked
