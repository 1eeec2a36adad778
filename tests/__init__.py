"""The tests of Préau; the folders mirror the packages."""
