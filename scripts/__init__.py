"""The `callrec` command and everything it runs."""
