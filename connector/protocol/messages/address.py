"""Data addresses: where the data is, and with which token.

An EDC up to 0.18 reads `endpointProperties` only and writes names as full EDC IRIs; others read
the plain names and the top-level `endpoint`. We write all of them and read any of them; two
spellings of one name that disagree are refused, because whoever reads the other one would go
elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from connector.protocol.messages.envelope import Reader, without_none
from policies.problem import Problem
from policies.vocabulary import PREAU

EDC: Final = "https://w3id.org/edc/v0.0.1/ns/"
HTTP: Final = "https://w3id.org/idsa/v4.1/HTTP"
PART_SALT: Final = PREAU + "partSalt"

_MAX_PROPERTIES: Final = 64
_MAX_VALUE: Final = 16_384  # a token may be a large JWT
_TYPES: Final = ("DataAddress", "dspace:DataAddress", "https://w3id.org/dspace/2025/1/DataAddress")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAddress:
    """An address as in DSP "Transfer Start Message": `properties` are (name, value) as on the
    wire, in order. It holds secrets: never log it (its `repr` shows names only).
    """

    endpoint_type: str
    endpoint: str | None = None
    properties: tuple[tuple[str, str], ...] = ()

    @classmethod
    def pull(cls, endpoint: str, token: str, part_salt: str | None = None) -> Self:
        """The address of data to be fetched: URL, bearer token, and the salt of part digests."""
        named = {"endpoint": endpoint, "authorization": token, "authType": "bearer"}
        properties = [(name, named[name]) for name in ("authorization", "authType")]
        properties += [(EDC + name, value) for name, value in named.items()]
        properties.append((EDC + "endpointType", HTTP))
        if part_salt is not None:
            properties.append((PART_SALT, part_salt))
        return cls(endpoint_type=HTTP, endpoint=endpoint, properties=tuple(properties))

    @classmethod
    def push(cls, endpoint: str, token: str | None = None) -> Self:
        """The address that data are to be brought to: URL, and the bearer token it asks for."""
        named = {"endpoint": endpoint}
        if token is not None:
            named |= {"authorization": token, "authType": "bearer"}
        properties = [(name, value) for name, value in named.items() if name != "endpoint"]
        properties += [(EDC + name, value) for name, value in named.items()]
        return cls(endpoint_type=HTTP, endpoint=endpoint, properties=tuple(properties))

    def get(self, name: str) -> str | None:
        """The value of a property under its plain name or its EDC IRI, or None."""
        for spelled, value in self.properties:
            if spelled in (name, EDC + name):
                return value
        return None

    @property
    def url(self) -> str | None:
        """Where to fetch from: the top-level `endpoint`, or the property of that name."""
        return self.endpoint or self.get("endpoint")

    @property
    def authorization(self) -> str | None:
        """The token, as given."""
        return self.get("authorization")

    @property
    def part_salt(self) -> str | None:
        """The salt for checking the digests of parts (ours only)."""
        return self.get(PART_SALT)

    def wire(self) -> dict[str, object]:
        """The address as JSON; valid against the official schema."""
        properties = [
            {"@type": "EndpointProperty", "name": name, "value": value}
            for name, value in self.properties
        ]
        return without_none(
            **{"@type": "DataAddress"},
            endpointType=self.endpoint_type,
            endpoint=self.endpoint,
            endpointProperties=properties or None,
        )

    @classmethod
    def read(cls, data: Reader) -> Self:
        """The address that these members spell.

        Raises:
            Problem: `protocol-type-unexpected`, `protocol-member-missing`, `protocol-not-text`,
                `protocol-address-ambiguous`.
        """
        found = data.data.get("@type")
        if found not in _TYPES:
            raise Problem("protocol-type-unexpected", found=str(found)[:80], expected=_TYPES[0])
        items = data.items("endpointProperties")
        if len(items) > _MAX_PROPERTIES:
            raise Problem("protocol-not-object", where=data.at("endpointProperties"))
        address = cls(
            endpoint_type=data.text("endpointType"),
            endpoint=data.maybe("endpoint"),
            properties=tuple(
                _property(item, f"{data.at('endpointProperties')}/{index}")
                for index, item in enumerate(items)
            ),
        )
        address._check_agreement(data)
        return address

    def _check_agreement(self, data: Reader) -> None:
        for name in ("endpoint", "authorization", "authType", PART_SALT):
            values = {value for spelled, value in self.properties if spelled in (name, EDC + name)}
            if name == "endpoint" and self.endpoint is not None:
                values.add(self.endpoint)
            if len(values) > 1:
                where = data.at("endpointProperties")
                raise Problem("protocol-address-ambiguous", where=where, name=name)

    def __repr__(self) -> str:
        names = ", ".join(name for name, _value in self.properties)
        return f"DataAddress({self.endpoint_type}, properties: {names})"


def _property(item: object, where: str) -> tuple[str, str]:
    if not isinstance(item, Mapping):
        raise Problem("protocol-not-object", where=where)
    name, value = Reader(item, where).text("name"), item.get("value")
    if not isinstance(value, str) or len(value) > _MAX_VALUE or not value.isprintable():
        raise Problem("protocol-not-text", where=f"{where}/value", limit=_MAX_VALUE)
    return name, value


def read_address(data: Mapping[str, object]) -> DataAddress:
    """The address in JSON that is parsed already (a stored transfer's `data_address`)."""
    return DataAddress.read(Reader(data))


__all__ = ["EDC", "HTTP", "PART_SALT", "DataAddress", "read_address"]
