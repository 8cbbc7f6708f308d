"""`callrec dashboard`: the figures of the stack, in the terminal."""
