"""`callrec teardown`: remove a stack and keep its recordings, unless their deletion is asked for twice."""
