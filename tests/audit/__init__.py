"""What auditors' tools say of the stack, its policies and the repository; `make audit` runs the heaviest of them."""
