"""Publishing: from a file and a declaration to a signed catalog, and the pages others read."""
