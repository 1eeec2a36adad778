"""What every message has in common: the envelope, reading with located refusals, writing.

DSP allows to process messages as plain JSON or as JSON-LD ("Schemas & Contexts"); we read plain
JSON. So the context list must name the DSP context, may name others, and holds no inline
context; members that the schema does not know are accepted and ignored (`@id` of the message and
our own namespace excepted).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final, Self, TypedDict, TypeVar
from urllib.parse import urlsplit

from connector.base import texts as _texts  # noqa: F401  registers the sentences
from connector.protocol.json import pointer_token, strict_json
from connector.protocol.messages.extensions import ours
from connector.protocol.names import DSP_CONTEXT, DSPACE, MAX_BYTES, MAX_DEPTH, MAX_TEXT
from policies.problem import Problem

_MAX_CONTEXTS: Final = 16
_MAX_REASONS: Final = 16

EnumT = TypeVar("EnumT", bound=StrEnum)


class Header(TypedDict):
    """The members that every message keeps (see `Message`)."""

    id: str | None
    extensions: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(ABC):
    """A DSP message. `id` is the message's own `@id`: fresh for each message, the same when it is
    sent again. `extensions` are members under our namespace, as written by `extend`.
    """

    TYPE: ClassVar[str]

    id: str | None = None
    extensions: Mapping[str, object] = field(default_factory=dict)

    @abstractmethod
    def members(self) -> dict[str, object]:
        """The members of this type, without those that are None."""

    @classmethod
    @abstractmethod
    def read(cls, data: "Reader") -> Self:
        """The message that these members spell; the envelope is checked already."""

    def wire(self) -> dict[str, object]:
        """The message as JSON; valid against the official schema."""
        header: dict[str, object] = {"@context": [DSP_CONTEXT], "@type": self.TYPE}
        if self.id is not None:
            header["@id"] = self.id
        return {**header, **self.members(), **self.extensions}


MessageT = TypeVar("MessageT", bound=Message)


def parse(
    body: bytes, expected: type[MessageT], *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> MessageT:
    """The message that `body` holds, which must be of the expected type.

    Raises:
        Problem: `protocol-…` or `policy-…`, with the JSON pointer of the fault.
    """
    return read(strict_json(body, max_bytes=max_bytes, max_depth=max_depth), expected)


def read(data: Mapping[str, object], expected: type[MessageT]) -> MessageT:
    """As `parse`, for JSON that is parsed already."""
    check_envelope(data, expected.TYPE)
    return expected.read(Reader(data))


def check_envelope(data: Mapping[str, object], expected: str) -> None:
    """That `@context` names the DSP context and `@type` is `expected` (any of its spellings).

    Raises:
        Problem: `protocol-context-missing`, `protocol-context-inline`, `protocol-type-unexpected`.
    """
    context = data.get("@context")
    contexts = context if isinstance(context, list) else [context]
    if DSP_CONTEXT not in contexts:
        raise Problem("protocol-context-missing")
    if len(contexts) > _MAX_CONTEXTS or not all(isinstance(item, str) for item in contexts):
        raise Problem("protocol-context-inline")
    found = data.get("@type")
    if not isinstance(found, str) or plain_term(found) != expected:
        shown = found[:80] if isinstance(found, str) else "-"
        raise Problem("protocol-type-unexpected", found=shown, expected=expected)


def plain_term(text: str) -> str:
    """A DSP term without its prefix: `dspace:X` and the full IRI are the same word as `X`."""
    return text.removeprefix(DSPACE).removeprefix("dspace:")


@dataclass(frozen=True, slots=True)
class Reader:
    """The members of a JSON object, taken one by one; every refusal says where."""

    data: Mapping[str, object]
    where: str = ""

    def at(self, name: str) -> str:
        """The JSON pointer of a member."""
        return f"{self.where}/{pointer_token(name)}"

    def maybe(self, name: str) -> str | None:
        """A text of 1 to 2048 characters without control characters, or None if absent."""
        value = self.data.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
            raise Problem("protocol-not-text", where=self.at(name), limit=MAX_TEXT)
        return value

    def text(self, name: str) -> str:
        """As `maybe`, but it must be there."""
        value = self.maybe(name)
        if value is None:
            raise Problem("protocol-member-missing", where=self.at(name))
        return value

    def term(self, name: str, words: type[EnumT], *, without: frozenset[EnumT]) -> EnumT:
        """A word of an enumeration, prefixed or not; those in `without` never stand on the wire."""
        text = plain_term(self.text(name))
        allowed = [word.value for word in words if word not in without]
        if text not in allowed:
            raise Problem("protocol-not-one-of", where=self.at(name), allowed=", ".join(allowed))
        return words(text)

    def url(self, name: str) -> str | None:
        """A base URL for callbacks (http or https, nothing after its path), or None if absent.

        Slashes at its end are dropped, scheme and host are in lower case (RFC 3986, 6.2.2.1).
        Whether we may call it is asked elsewhere.
        """
        text = self.maybe(name)
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            well_formed = parts.hostname is not None and parts.port != 0
        except ValueError:
            well_formed = False
        if (
            not well_formed
            or " " in text
            or parts.scheme not in ("http", "https")
            or "@" in parts.netloc
            or "?" in text
            or "#" in text
        ):
            raise Problem("protocol-not-url", where=self.at(name))
        authority = f"{parts.scheme}://{parts.netloc}"
        return authority.lower() + text[len(authority) :].rstrip("/")

    def inner(self, name: str) -> "Reader | None":
        """A nested object, or None if absent."""
        value = self.data.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise Problem("protocol-not-object", where=self.at(name))
        return Reader(value, self.at(name))

    def items(self, name: str) -> tuple[object, ...]:
        """An array; one value may stand without it (EDC's compaction); empty if absent."""
        value = self.data.get(name)
        if value is None:
            return ()
        return tuple(value) if isinstance(value, list) else (value,)

    def code(self) -> str | None:
        """The peer's `code`: text or number, cut to a readable length."""
        value = self.data.get("code")
        if isinstance(value, bool | None) or not isinstance(value, str | int | float):
            return None
        return readable(str(value), 200) or None

    def reasons(self) -> tuple[str, ...]:
        """The peer's `reason` as texts. A termination must never fail for the form of its reasons:
        other shapes are skipped, long ones cut (the message itself is kept as evidence).
        """
        texts = []
        for item in self.items("reason")[:_MAX_REASONS]:
            value = item.get("@value") if isinstance(item, Mapping) else item
            if isinstance(value, str) and (text := readable(value, MAX_TEXT)):
                texts.append(text)
        return tuple(texts)

    def header(self) -> Header:
        """The members that `Message` itself keeps."""
        # A foreign message id is used for recognising repeats only; a strange one is no reason
        # to refuse the message.
        value = self.data.get("@id")
        return {
            "id": value if isinstance(value, str) and 0 < len(value) <= MAX_TEXT else None,
            "extensions": ours(self.data),
        }


def readable(text: str, limit: int) -> str:
    """A peer's free text for people: control characters to spaces, cut at `limit`."""
    cleaned = "".join(character if character.isprintable() else " " for character in text[:limit])
    return cleaned.strip()


def without_none(**members: object) -> dict[str, object]:
    """These members, those that are None left out."""
    return {name: value for name, value in members.items() if value is not None}
