"""Names and limits of Dataspace Protocol 2025-1 that several modules of this room share."""

from typing import Final

VERSION: Final = "2025-1"
DSP_CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
DSPACE: Final = "https://w3id.org/dspace/2025/1/"

# The schemas ask for both pids where one may be unknown to us; this IRI names nothing (RFC 9562).
NO_PID: Final = "urn:uuid:00000000-0000-0000-0000-000000000000"

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 32
MAX_TEXT: Final = 2048
