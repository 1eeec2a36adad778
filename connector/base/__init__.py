"""What every room of the node may use: clock, identifiers, settings, logging, texts of problems."""
