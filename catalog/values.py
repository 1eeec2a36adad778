"""The small values that documents are made of: instants, IRIs, durations, digests, counts.

Only text-level rules live here: how each is written, and whether a text is one.
"""

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f<>\"{}|\\^`\ud800-\udfff]+")
_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]+")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
_DURATION: Final = re.compile(
    r"P(?=.)(?:(?:\d+Y)?(?:\d+M)?(?:\d+D)?|\d+W)(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?"
)
_DIGEST: Final = re.compile(r"sha-256:[0-9a-f]{64}")
_PERSONS: Final = re.compile(r"<10|[1-9][0-9]*0")
_SHARE: Final = re.compile(r"(?:<1|[1-9][0-9]?|>99) %")
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


def is_iri(text: object) -> bool:
    """Whether a value is an absolute IRI that no RDF tool drops (no space, no blank node)."""
    return isinstance(text, str) and _IRI.fullmatch(text) is not None


def is_did(text: object) -> bool:
    """Whether a value is a DID (DID Core, section 3.1), without path, query or fragment."""
    return isinstance(text, str) and _DID.fullmatch(text) is not None


def is_duration(text: object) -> bool:
    """Whether a value is a non-negative ISO 8601 duration without fractions, such as `P1Y`."""
    return isinstance(text, str) and _DURATION.fullmatch(text) is not None


def is_digest(text: object) -> bool:
    """Whether a value is `sha-256:` and 64 hexadecimal digits."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_identifier(text: object) -> bool:
    """Whether a text is a dataset's short identifier: one segment of a path, as its steward
    wrote it.
    """
    return isinstance(text, str) and _IDENTIFIER.fullmatch(text) is not None


def is_name(text: object) -> bool:
    """Whether a value is a short name that may stand in a path: lower case, digits, hyphens."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def is_word(text: object) -> bool:
    """Whether a value is a word of the protocol, such as `HttpData-PULL`."""
    return isinstance(text, str) and _WORD.fullmatch(text) is not None


def is_media_type(text: object) -> bool:
    """Whether a value is a media type without parameters, such as `text/csv`."""
    return isinstance(text, str) and _MEDIA_TYPE.fullmatch(text) is not None


def is_persons(text: object) -> bool:
    """Whether a value is a number of persons as we publish it: a multiple of ten, or `<10`."""
    return isinstance(text, str) and _PERSONS.fullmatch(text) is not None


def rounded_persons(count: int) -> str:
    """A number of persons rounded down to ten; below ten, `<10` (nothing finer is published)."""
    return str(count - count % 10) if count >= 10 else "<10"


def is_share(text: object) -> bool:
    """Whether a value is a share as we announce it: `<1 %`, `1 %` … `99 %`, `>99 %`."""
    return isinstance(text, str) and _SHARE.fullmatch(text) is not None


def format_share(share: float) -> str:
    """A share of one in whole percent; never none and never all (`<1 %`, `>99 %`).

    A measurement on one revision proves neither: the next attack may do better, the next
    revision may be larger.
    """
    if share < 0.01:
        return "<1 %"
    return ">99 %" if share > 0.99 else f"{round(100 * share)} %"


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with `Z`; microseconds only where there are some (the one spelling)."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: object) -> datetime | None:
    """The instant that `format_instant` writes as this text; None for any other text."""
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if format_instant(instant) == text else None


def fragment(base: str, *names: str) -> str:
    """A named part of a resource: `<base>#a-b`, each name percent-encoded where IRIs need it."""
    return base + "#" + "-".join(quote(name, safe="") for name in names)
