"""The node's configuration: one TOML file, `DIR/preau.toml`, checked once at start.

Secrets never stand in it, and no environment variable changes it: what the file says is what runs.
Unknown tables and keys are refused, so that a misspelt limit is not a missing one.
"""

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from policies.problem import Problem

FILE: Final = "preau.toml"
MIN_ROUND: Final = 10
"""Seconds; whoever asks its peers more often than this has made a mistake."""

_ADDRESS = re.compile(r"^(\[[0-9a-fA-F:]+\]|[0-9.]+|localhost):([0-9]{1,5})$")


def host_port(address: str) -> tuple[str, int]:
    """`127.0.0.1:8080` as host and port; IPv6 without its brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by name or address (no look-up is made)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Node(_Table):
    """Who this participant is and where others reach it."""

    did: str = Field(pattern=r"^did:web:[A-Za-z0-9.%:_-]+$")
    name: str = Field(min_length=1, max_length=200)
    public_url: str
    language: Annotated[str, Field(pattern=r"^(fr|en)$")] = "fr"
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "FR"

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ValueError("must be an absolute http(s) URL without a query")
        return url.rstrip("/")


class Listen(_Table):
    """The two ports: one for peers, one for the institution's own people and machines."""

    public: str = "127.0.0.1:8080"
    management: str = "127.0.0.1:8081"

    @field_validator("public", "management")
    @classmethod
    def _host_port(cls, text: str) -> str:
        match = _ADDRESS.match(text)
        if match is None or not 0 < int(match[2]) < 65536:
            raise ValueError("must be ADDRESS:PORT, for example 127.0.0.1:8080")
        return text

    @model_validator(mode="after")
    def _management_is_local(self) -> "Listen":
        # P2: the management API has no transport security of its own.
        if not is_loopback(host_port(self.management)[0]):
            raise ValueError("management must be a loopback address; put a TLS proxy before it")
        return self


class StoreTable(_Table):
    """Where durable state lives."""

    url: str = "sqlite:///preau.sqlite"


class Keys(_Table):
    """Where the key files lie, relative to the node's folder."""

    dir: str = "keys"


class Consent(_Table):
    """Where the consent journal lies (S4); another disk than the database is wise."""

    journal: str = "consent.journal"


class Release(_Table):
    """Limits of a release (X2, X4)."""

    max_part_rows: int = Field(default=16_384, ge=1, le=16_384)
    max_part_bytes: int = Field(default=8 * 2**20, ge=4096, le=8 * 2**20)
    first_part_rows: int = Field(default=256, ge=1, le=16_384)
    min_persons: int = Field(default=10, ge=10)


class Retention(_Table):
    """The institution's own default retention; longer asks for a written reason (S5)."""

    default: str = Field(default="P1Y", pattern=r"^P(\d+Y)?(\d+M)?(\d+D)?$")


class Limits(_Table):
    """What a peer or a caller may send."""

    message_bytes: int = Field(default=1_000_000, ge=10_000, le=16_000_000)
    pushed_bytes: int = Field(default=10_000_000_000, ge=1_000_000)


class Delivery(_Table):
    """How long a message is tried before a person must look (P2)."""

    deadline_hours: int = Field(default=72, ge=1, le=720)


class Discovery(_Table):
    """How often the node asks its peers what they publish (C6)."""

    every: int = Field(default=900, ge=0, le=604_800)

    @field_validator("every")
    @classmethod
    def _unhurried(cls, seconds: int) -> int:
        if 0 < seconds < MIN_ROUND:
            raise ValueError(f"must be 0 (never) or at least {MIN_ROUND} seconds")
        return seconds


class Egress(_Table):
    """Private networks that peers may nevertheless live in (P8)."""

    private: tuple[str, ...] = ()

    @field_validator("private")
    @classmethod
    def _networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            ipaddress.ip_network(value)
        return values


class StaticToken(_Table):
    """A participant that shows one fixed secret, kept in `file` below the node's folder (P9)."""

    name: str = Field(min_length=1, max_length=200)
    dsp: str
    file: str


class Steps(_Table):
    """Acts of the protocol that wait for a person here; all others follow by themselves.

    `verify`: signing what a provider agreed; `finalize`: making final what a consumer signed;
    `start`: beginning a transfer that the policy permits.
    """

    by_hand: tuple[Literal["verify", "finalize", "start"], ...] = ()


class Edc(_Table):
    """Eclipse EDC connectors with mock identity as peers (P9). It proves nothing, so it is off."""

    mock_identity: bool = False
    pause_millis: int = Field(default=1000, ge=0, le=60_000)


class Signaling(_Table):
    """An institution's own control plane (an Eclipse EDC) that this node's data plane serves.

    `control_plane` is the address of its control API (EDC 0.18: of its signaling API), the only one
    that is told how a flow ended; `api_key_file`, below the node's folder, holds what that API asks
    for as `X-Api-Key`, if it asks.
    """

    control_plane: str | None = None
    api_key_file: str | None = None

    @field_validator("control_plane")
    @classmethod
    def _absolute(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "http://nowhere")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ValueError("must be an absolute http(s) URL without a query")
        return url and url.rstrip("/")


class SignaledSink(_Table):
    """Where that control plane may have data pushed for one of its consumers: `url` stands for all
    of its origin.
    """

    consumer: str = Field(min_length=1, max_length=200)
    url: str = Field(pattern=r"^https?://[^/?#@]+")


class Dev(_Table):
    """Loopback over http, for trying things on one machine; refused anywhere else."""

    on: bool = False


class Settings(_Table):
    """All tables of `preau.toml`."""

    node: Node
    listen: Listen = Listen()
    store: StoreTable = StoreTable()
    keys: Keys = Keys()
    consent: Consent = Consent()
    release: Release = Release()
    retention: Retention = Retention()
    limits: Limits = Limits()
    delivery: Delivery = Delivery()
    discovery: Discovery = Discovery()
    egress: Egress = Egress()
    steps: Steps = Steps()
    edc: Edc = Edc()
    signaling: Signaling = Signaling()
    signaled_sink: tuple[SignaledSink, ...] = ()
    static_token: tuple[StaticToken, ...] = ()
    dev: Dev = Dev()

    @model_validator(mode="after")
    def _dev_is_local(self) -> "Settings":
        parts = urlsplit(self.node.public_url)
        local = parts.hostname is not None and is_loopback(parts.hostname)
        if self.dev.on and not (local and is_loopback(host_port(self.listen.public)[0])):
            raise ValueError("dev.on is only for loopback addresses")
        if parts.scheme == "http" and not self.dev.on:
            raise ValueError("node.public_url must be https outside dev")
        if (self.signaling.control_plane or "").startswith("http:") and not self.dev.on:
            raise ValueError("signaling.control_plane must be https outside dev")
        if self.signaling.api_key_file and not self.signaling.control_plane:
            raise ValueError("signaling.api_key_file needs signaling.control_plane")
        return self


def read(folder: Path) -> Settings:
    """The checked settings of a node's folder.

    Raises:
        Problem: `settings-missing`, `settings-invalid` (with the place of the first fault).
    """
    path = folder / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem("settings-missing", path=str(path)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Problem("settings-invalid", place=str(path), fault=str(error)) from None
    return check(data)


def check(data: dict[str, object]) -> Settings:
    """Settings from parsed TOML.

    Raises:
        Problem: `settings-invalid`, `settings-unknown`.
    """
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or FILE
        if first["type"] == "extra_forbidden":
            raise Problem("settings-unknown", place=place) from None
        raise Problem("settings-invalid", place=place, fault=first["msg"]) from None
