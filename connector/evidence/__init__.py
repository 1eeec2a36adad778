"""Evidence: the node's append-only log of what it did, and the bundle an auditor checks alone.

`tree`, `note`, `leaf`, `archive`, `checks` and `verify` are pure: they import neither the store
nor anything that speaks HTTP, because an auditor runs them on a machine of their own. `levels`
and `log` keep the log's hashes and checkpoints for a running node; `bundle` writes what leaves.
"""
