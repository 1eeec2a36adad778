"""Releasing, at the provider: transfers, each part by its plan, the monitor, the hand-over."""
