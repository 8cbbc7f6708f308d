"""`callrec verify`: one row per hop of a call's way, from the bucket's settings to the link that plays."""
