"""Conformance to the Dataspace Protocol: a node made ready for it, our own suite, the official kit.

Nothing here is part of the product. A node in the conformance profile is an ordinary node; what
decides on it in people's place (`script`) comes through the management API with people's tokens.
"""
