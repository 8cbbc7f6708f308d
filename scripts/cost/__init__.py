"""`callrec cost`: what a stack costs, by AWS's list prices."""
