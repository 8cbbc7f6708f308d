"""`callrec status`: what is being recorded, what became of the last recordings, and what waits."""
