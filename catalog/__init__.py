"""What data exists and who says so: datasets, signed documents, catalog heads, linked data.

Depends on `policies` only; no network, no clock, no file. JSON-LD processors are imported inside
the functions that need them, so that an idle node never loads one.
"""

from catalog.texts import TEXTS
from policies.problem import register

register(TEXTS)
