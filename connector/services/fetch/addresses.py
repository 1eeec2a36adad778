"""Whether data can be fetched from the address that a provider gave. Pure.

Asked twice: when its start arrives, so that people read what is wrong before anybody fetches, and
of each fetch, for the provider's own document may have changed.
"""

import re
from typing import Final

from connector.identity.did import DidDocument
from connector.protocol.messages import DataAddress
from policies.problem import Problem

_TOKEN: Final = re.compile(r"[!-~][ -~]*")  # what a header can carry
_SALT: Final = re.compile(r"(?:[0-9a-fA-F]{2}){1,64}")


def usable(address: DataAddress | None, document: DidDocument, *, signs: bool) -> DataAddress:
    """The address, if it is whole and the provider's own; one that `signs` gives a salt of parts.

    Raises:
        Problem: `transfer-address`, `identity-address-foreign`, `identity-url-invalid`.
    """
    if address is None or address.url is None or not _TOKEN.fullmatch(address.authorization or ""):
        raise Problem("transfer-address")
    if signs and not _SALT.fullmatch(address.part_salt or ""):
        raise Problem("transfer-address")
    document.check_address(address.url)
    return address
