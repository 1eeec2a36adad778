"""Who we are and who they are: keys, DIDs, DID documents, Self-Issued tokens.

Nothing here opens a socket or a table: DID documents come through the `Fetch` port, remembered
tokens are the store's business. `snapshot` is used by auditors alone with a bundle.
"""
