"""`callrec link`: what becomes of the links to recordings after they were written."""
