"""Data in and out: sources, immutable revisions, the execution of plans, parts and manifests.

What may enter: `policies` (plans, problems), `connector.subjects` (keys), `connector.base`, the
standard library, orjson and cryptography. No database and no network: services bring the bitmap
of who may leave, and carry the parts away.
"""
