"""What a new version of a feed changes, by meaning."""
