"""Releasing for a control plane elsewhere: what its agreements mean here, and its data flows."""
