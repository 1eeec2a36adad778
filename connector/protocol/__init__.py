"""The Dataspace Protocol 2025-1, without input or output.

This room knows what may be said, in which order, and how it is spelled: messages (`messages`),
the two transition tables (`negotiation`, `transfer`), errors, repeats, the version document. It
holds no clock, no randomness, no network and no store; bytes and instants are handed in. What may
enter: rules of the protocol with their section of the specification. What may not: decisions
about data, policies' meaning, HTTP statuses beyond `errors.status_of`.

Readings of the text and deviations from it stand in `docs/dsp-divergences.md`; the state
diagrams in `docs/states.md` are drawn from the tables.
"""
