"""Whose data it is: subject keys, consent import, the consent journal and registry.

What may enter: `policies` (pure consent rules), the consent table of `connector.store`, `base`.
No identifier of a person is ever kept here: it becomes a keyed hash at the door (S1).
"""
