"""How messages leave: the one HTTP client to addresses that others named, and the outbox worker.

`egress` says which addresses may be reached, `client` is the only module of the node that speaks
HTTP as a client, `circuit` says when a silent peer may be tried again, `outbox` delivers what the
store has committed. What a message means is the business of `services`, which hand their
`authorize` and `settle` in.
"""
