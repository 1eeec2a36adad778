"""The egress table: which addresses a stranger may make us reach (facts, trust and signing, 6)."""

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from connector.delivery import egress
from policies.problem import Problem

_PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
129.102.1.1 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255
198.20.0.0 223.255.255.255 193.51.208.13
2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4007:80c::200e 2001:660:3305::1 2003::1
::ffff:8.8.8.8 64:ff9b::8.8.8.8 64:ff9b::808:808
"""

_REFUSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.1.2.3 127.255.255.255 168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1
198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:7f00:1 ::ffff:224.0.0.1 ::ffff:0:127.0.0.1
64:ff9b::127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::224.0.0.1
64:ff9b:1::8.8.8.8 64:ff9b:1::127.0.0.1 64:ff9b:1:ffff::1
100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
2002:7f00:1:: 2002:808:808:: 2002:a00:1::1 3fff::1 3fff:fff::1 4000::1 5f00::1
2a00:1450::5efe:7f00:1 2a00:1450::5efe:808:808 2a00:1450::200:5efe:a00:1
fc00::1 fd00:ec2::254 fd12:3456:789a::1 fe80::1 fe80::5efe:7f00:1 fec0::1 ff02::1 ff0e::1
fe80::1%eth0 2606:4700::1%eth0
"""
PUBLIC, REFUSED = _PUBLIC.split(), _REFUSED.split()


def test_the_table_is_long_enough():
    assert len(PUBLIC) + len(REFUSED) >= 60
    assert len({*PUBLIC, *REFUSED}) == len(PUBLIC) + len(REFUSED)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str):
    assert egress.allowed(address)
    assert egress.allowed(address, loopback=True)


@pytest.mark.parametrize("address", REFUSED)
def test_other_addresses_are_not(address: str):
    assert not egress.allowed(address)


@pytest.mark.parametrize("address", REFUSED)
def test_expecting_loopback_opens_loopback_only(address: str):
    text = address.removeprefix("::ffff:").removeprefix("64:ff9b::")
    loopback = text.startswith("127.") or text in ("::1", "7f00:1")
    assert egress.allowed(address, loopback=True) == loopback


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0177.0.0.1", "2130706433", "::g"])
def test_what_is_no_address_is_not_allowed(text: str):
    assert not egress.allowed(text, loopback=True)


def test_the_operator_may_open_private_networks_and_nothing_beside():
    private = egress.networks(["10.20.0.0/16", "fd12:3456::/32"])
    for address in ("10.20.3.4", "fd12:3456::9", "::ffff:10.20.3.4", "64:ff9b::10.20.3.4"):
        assert egress.allowed(address, private=private)
    for address in ("10.21.0.1", "127.0.0.1", "fd12:3457::9", "192.168.1.1", "::10.20.3.4"):
        assert not egress.allowed(address, private=private)
    assert egress.allowed("127.0.0.1", private=egress.networks(["127.0.0.0/8"]))


@pytest.mark.parametrize("text", ["10.20.0.1/16", "x", "", "10.0.0.0/33"])
def test_a_network_is_written_exactly(text: str):
    with pytest.raises(Problem, match="delivery-network-invalid"):
        egress.networks([text])


@pytest.mark.parametrize(
    ("url", "peer"),
    [
        ("https://example.org", "example.org:443"),
        ("https://example.org/", "example.org:443"),
        ("https://example.org:443/a/b?c=d&e", "example.org:443"),
        ("https://a_b.example.org:8443/a%20b", "a_b.example.org:8443"),
        ("https://xn--cole-9oa.example/x", "xn--cole-9oa.example:443"),
        ("https://8.8.8.8/", "8.8.8.8:443"),
        ("https://[2606:4700:4700::1111]:1024/", "2606:4700:4700::1111:1024"),
    ],
)
def test_plain_urls_have_a_target(url: str, peer: str):
    target = egress.check_url(url)
    assert target.peer == peer
    assert target.scheme == "https"
    assert (target.address is None) == (not target.host[-1].isdigit())


NOT_PLAIN = [
    "",
    "example.org",
    "//example.org/",
    "https:/example.org",
    "https:///path",
    "https://",
    "file:///etc/passwd",
    "ftp://example.org/",
    "gopher://example.org/",
    "HTTPS://example.org/",
    "https://Example.org/",
    "https://user@example.org/",
    "https://user:pw@example.org/",
    "https://example.org@evil.example/",
    "https://example.org\\@evil.example/",
    "https://example.org\\.evil.example/",
    "https://example.org#@evil.example/",
    "https://example.org/#fragment",
    "https://example.org /",
    "https://example.org/a b",
    "https://example.org/\n",
    "https://example.org\r\nHost: evil",
    "https://exam\tple.org/",
    "https://école.example/",
    "https://example。org/",
    "https://%65xample.org/",
    "https://example.org./",
    "https://.example.org/",
    "https://a..org/",
    "https://-a.org/",
    "https://" + "a" * 64 + ".org/",
    "https://" + "a." * 130 + "org/",
    "https://example.org:/",
    "https://example.org:port/",
    "https://example.org:443443/",
    "https://example.org/" + "a" * 2048,
    # numbers in disguise, which resolvers read as 127.0.0.1
    "https://127.1/",
    "https://127.0.1/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://127.000.000.001/",
    "https://1.2.3.4.5/",
    "https://256.1.1.1/",
    "https://8.8.8.010/",
    "https://example.0x7f/",
    "https://example.1/",
    "https://[::1/",
    "https://::1/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::0001]/",
    "https://[2606:4700:4700:0::1111]/",
    "https://[fe80::1%25eth0]/",
    "https://[v1.a]/",
    "https://[8.8.8.8]/x",
]


@pytest.mark.parametrize("url", NOT_PLAIN)
@pytest.mark.parametrize("dev", [False, True])
def test_anything_two_parsers_could_read_differently_is_refused(url: str, dev: bool):
    with pytest.raises(Problem, match="delivery-url-invalid"):
        egress.check_url(url, dev=dev)


@pytest.mark.parametrize("address", [address for address in REFUSED if "%" not in address])
def test_literal_addresses_are_checked_with_the_url(address: str):
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Problem) as caught:
        egress.check_url(f"https://{host}/")
    # A spelling that is not canonical is refused for that.
    assert caught.value.code in ("delivery-address-refused", "delivery-url-invalid")


@pytest.mark.parametrize("port", [0, 1, 22, 25, 80, 110, 445, 1023, 65536, 99999])
def test_ports_of_other_services_are_refused(port: int):
    with pytest.raises(Problem, match="delivery-port"):
        egress.check_url(f"https://example.org:{port}/")


def test_http_is_for_loopback_in_development():
    for url in ("http://localhost:8080/x", "http://127.0.0.1:8080/x", "http://[::1]:8080/"):
        assert egress.check_url(url, dev=True).scheme == "http"
        with pytest.raises(Problem, match="delivery-scheme"):
            egress.check_url(url)
    for url in ("http://example.org/", "http://8.8.8.8/", "http://localhost.example.org/"):
        for dev in (False, True):
            with pytest.raises(Problem, match="delivery-scheme"):
                egress.check_url(url, dev=dev)


def test_problems_name_the_host_only():
    with pytest.raises(Problem) as caught:
        egress.check_url("https://10.0.0.1/secret?token=secret")
    assert caught.value.params == {"host": "10.0.0.1"}
    with pytest.raises(Problem) as caught:
        egress.check_url("https://u:secret@example.org/")
    assert "secret" not in str(caught.value.document())


@given(
    st.text(max_size=60).map("https://".__add__)
    | st.from_regex(r"https?://[a-z0-9.:\[\]@%\\_-]{1,30}(/[ -~]{0,20})?", fullmatch=True)
)
def test_what_passes_is_read_alike_by_every_parser(url: str):
    try:
        target = egress.check_url(url, dev=True)
    except Problem:
        return
    split = urlsplit(url)
    for host, port in (
        (split.hostname, split.port),
        (httpx.URL(url).host, httpx.URL(url).port),
        (URL(url).raw_host, URL(url).explicit_port),
    ):
        assert host == target.host
        assert port in (None, target.port)
