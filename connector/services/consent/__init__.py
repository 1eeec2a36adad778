"""Consent: recording what learners said, and who may leave because of it."""
