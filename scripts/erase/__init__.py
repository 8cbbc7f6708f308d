"""`callrec erase`: one recording, gone for good, and a record that says so without saying whose it was."""
