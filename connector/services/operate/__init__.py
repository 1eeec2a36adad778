"""Operating: setting up, starting, backing up, restoring, looking at a node from outside."""
