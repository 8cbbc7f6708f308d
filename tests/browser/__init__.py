"""Links and their pages in a real browser: `make browser`."""
