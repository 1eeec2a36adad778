"""The edge: bytes come in, typed objects go on, problems become documents. No rule lives here.

`public` is what other nodes and auditors reach, `management` what the institution's own people
and machines reach, on a loopback port of its own.
"""
