"""A policy inside a message: what was received, beside what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from connector.protocol.machine import name_of
from connector.protocol.messages.envelope import Reader
from policies import odrl
from policies.model import Policy, PolicyKind
from policies.problem import Problem


@dataclass(frozen=True, slots=True)
class Terms:
    """An offer or an agreement: `wire` in the order and spelling received (an EDC compares what
    we repeat literally), `policy` as understood by `policies.odrl`.
    """

    wire: Mapping[str, object]
    policy: Policy

    @classmethod
    def read(cls, data: Mapping[str, object], *, kind: PolicyKind, where: str = "") -> Self:
        """Read an `Offer` or an `Agreement` that stands at the JSON pointer `where`.

        DSP "Message Types": a policy in a message has `@id` and `target`, an agreement also
        `assigner` and `assignee`. A missing `timestamp` (a MUST of the text, not of the schema)
        is accepted.

        Raises:
            Problem: `protocol-member-missing`, `protocol-type-unexpected`, or a `policy-…` with
                its place.
        """
        found = data.get("@type")
        plain = found.rpartition("/")[2].rpartition(":")[2] if isinstance(found, str) else "-"
        if plain != kind:
            raise Problem("protocol-type-unexpected", found=plain[:80], expected=kind)
        Reader(data, where).text("@id")
        needed = ("target",) if kind == "Offer" else ("target", "assigner", "assignee")
        for name in needed:
            named = Reader({name: name_of(data.get(name))}, where)
            named.text(name)
        # `policies.odrl` names places in its own way: offer.permission[0].action
        return cls(data, odrl.read(data, where=where.strip("/").replace("/", ".")))

    @classmethod
    def at(cls, data: Reader, name: str, *, kind: PolicyKind) -> Self:
        """Read the policy under the member `name` of a message."""
        inner = data.inner(name)
        if inner is None:
            raise Problem("protocol-member-missing", where=data.at(name))
        return cls.read(inner.data, kind=kind, where=inner.where)

    @property
    def id(self) -> str:
        """The IRI of the offer or agreement."""
        return str(self.wire["@id"])

    @property
    def target(self) -> str:
        """The dataset."""
        return name_of(self.wire.get("target")) or ""

    @property
    def assigner(self) -> str | None:
        """Who grants, if named."""
        return name_of(self.wire.get("assigner"))

    @property
    def assignee(self) -> str | None:
        """Who is granted, if named."""
        return name_of(self.wire.get("assignee"))
