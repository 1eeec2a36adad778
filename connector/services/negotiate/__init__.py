"""Negotiating: requests, decisions by policies and people, counter-offers, agreements."""
