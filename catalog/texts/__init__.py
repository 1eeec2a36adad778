"""Every sentence this package can say about a problem, in French and English.

Codes are stable and never reused for another meaning. Parameters are names, places and digests,
never texts about people.
"""

from typing import Final

from catalog.texts import documents, finding, proofs, values
from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    **values.TEXTS,
    **documents.TEXTS,
    **proofs.TEXTS,
    **finding.TEXTS,
}
