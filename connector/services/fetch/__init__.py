"""Fetching, at the consumer: parts checked and kept, whole or not at all."""
