"""Discovering: peers, the crawl of what they publish, the search over it."""
