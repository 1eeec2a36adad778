"""Showing: what the institution's people, operators and auditors see of it all."""
