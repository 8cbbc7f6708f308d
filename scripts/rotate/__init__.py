"""`callrec rotate`: keys replaced by new ones, step by step, with no recording lost or refused meanwhile."""
