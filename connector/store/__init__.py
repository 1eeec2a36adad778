"""What the node remembers: every table, the one transaction, and nothing that thinks.

The room owns the database file. `store.Store` opens it (one writer thread, group commit, one
reader), `tables` declares what is in it, and one module a subject (`negotiations`, `outbox`,
`leaves`, `consents` …) holds plain functions that take the transaction `tx` first and return the
frozen dataclasses of `rows`. A service loads, lets a pure room decide, and commits state, outgoing
messages, deduplication record and evidence leaf in *one* unit: that is how an answer becomes a
promise. No policy, no protocol, no clock, no randomness enters here: instants, identifiers and
salts come as arguments.
"""
