"""Messages between nodes: how one becomes a promise, and what came of those we sent."""
