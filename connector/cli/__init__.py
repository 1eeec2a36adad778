"""The `preau` command: a client of a running node's management API, plus what needs no node.

One file a group of commands. Only `init`, `serve` and `demo` import the node itself, and only when
they run: everything else must start fast. Every command prints for people by default and one JSON
document with `--json`; it exits 0 when done, 1 when refused or failed, 2 on wrong usage.
"""
