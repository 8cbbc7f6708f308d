"""`callrec reconcile`: have the stack's own function look for what got lost, now, and say what it found."""
