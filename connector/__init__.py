"""The node: one process that publishes, negotiates, releases and proves (docs/architecture.md)."""

from connector.base import texts as _texts  # noqa: F401  (registers the node's problem texts)
