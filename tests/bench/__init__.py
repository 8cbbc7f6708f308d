"""What the functions cost, measured inside AWS's own runtime client: `make bench`."""
