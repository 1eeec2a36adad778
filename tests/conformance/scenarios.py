"""What a connector under test does by itself in each scenario of the official kit.

Written from the scenarios' descriptions: for each of them, and each state, the acts of our side on
the first, second … time the process comes into that state. A state without an act is waited in.
"""

from typing import Final

Script = dict[str, list[str]]

PARTICIPANT: Final = "TCK_PARTICIPANT"
FORMAT: Final = "HttpData-PULL"

_OFFER: Final[Script] = {"REQUESTED": ["offer"]}
_AGREE: Final[Script] = {"REQUESTED": ["agree"]}
_ACCEPT: Final[Script] = {"OFFERED": ["accept"]}
_START: Final[Script] = {"REQUESTED": ["start"]}

PROVIDER_NEGOTIATIONS: Final[dict[str, Script]] = {
    "CN:01-01": _OFFER,
    "CN:01-02": {"REQUESTED": ["offer", "terminate"]},
    "CN:01-03": {**_OFFER, "ACCEPTED": ["agree"], "VERIFIED": ["finalize"]},
    "CN:01-04": {**_AGREE, "VERIFIED": ["finalize"]},
    "CN:02-01": {"REQUESTED": ["terminate"]},
    "CN:02-02": {},
    "CN:02-03": _AGREE,
    "CN:02-04": _OFFER,
    "CN:02-05": {**_OFFER, "OFFERED": ["terminate"]},
    "CN:02-06": {**_OFFER, "ACCEPTED": ["terminate"]},
    "CN:02-07": {**_AGREE, "VERIFIED": ["terminate"]},
    "CN:03-01": {**_AGREE, "VERIFIED": ["finalize"]},
    "CN:03-02": _OFFER,
    "CN:03-03": _OFFER,
    "CN:03-04": _OFFER,
}

CONSUMER_NEGOTIATIONS: Final[dict[str, Script]] = {
    "CN_C:01-01": {**_ACCEPT, "AGREED": ["verify"]},
    "CN_C:01-02": {"OFFERED": ["counter"]},
    "CN_C:01-03": {"OFFERED": ["terminate"]},
    "CN_C:01-04": {"AGREED": ["verify"]},
    "CN_C:02-01": {},
    "CN_C:02-02": {"REQUESTED": ["terminate"]},
    "CN_C:02-03": {"AGREED": ["terminate"]},
    "CN_C:02-04": {},
    "CN_C:02-05": _ACCEPT,
    "CN_C:02-06": {"AGREED": ["verify"]},
    "CN_C:03-01": {},
    "CN_C:03-02": {},
    "CN_C:03-03": {},
    "CN_C:03-04": _ACCEPT,
    "CN_C:03-05": _ACCEPT,
    "CN_C:03-06": _ACCEPT,
}

PROVIDER_TRANSFERS: Final[dict[str, Script]] = {
    "TP:01-01": {**_START, "STARTED": ["terminate"]},
    "TP:01-02": {**_START, "STARTED": ["complete"]},
    "TP:01-03": {**_START, "STARTED": ["suspend"], "SUSPENDED": ["terminate"]},
    "TP:01-04": {**_START, "STARTED": ["suspend", "complete"], "SUSPENDED": ["resume"]},
    "TP:01-05": {"REQUESTED": ["terminate"]},
    "TP:02-01": _START,
    "TP:02-02": _START,
    "TP:02-03": _START,
    "TP:02-04": _START,
    "TP:02-05": {},
    "TP:03-01": {},
    "TP:03-02": {},
    "TP:03-03": _START,
    "TP:03-04": _START,
    "TP:03-05": _START,
    "TP:03-06": _START,
}

CONSUMER_TRANSFERS: Final[dict[str, Script]] = {
    **{f"TP_C:01-0{n}": {} for n in range(1, 6)},
    "TP_C:02-01": {"STARTED": ["terminate"]},
    "TP_C:02-02": {"STARTED": ["complete"]},
    "TP_C:02-03": {"STARTED": ["suspend"], "SUSPENDED": ["terminate"]},
    "TP_C:02-04": {"STARTED": ["suspend", "complete"], "SUSPENDED": ["resume"]},
    "TP_C:02-05": {"REQUESTED": ["terminate"]},
    **{f"TP_C:03-0{n}": {} for n in range(1, 7)},
}

EVERY: Final = (
    "MET:01-01",
    *(f"CAT:01-0{n}" for n in range(1, 4)),
    *PROVIDER_NEGOTIATIONS,
    *CONSUMER_NEGOTIATIONS,
    *PROVIDER_TRANSFERS,
    *CONSUMER_TRANSFERS,
)
"""All scenarios by the kit's ids, those included that the kit itself switches off."""


def short(scenario: str, prefix: str) -> str:
    """`CN_C:01-02` with prefix `A` as the kit's sample names things: `ACNC0102`."""
    return prefix + scenario.translate({ord(sign): None for sign in "_:-"})
