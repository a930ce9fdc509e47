"""The audit log: what was done by whom, each entry bound to the one before it, and whether it is still as it was."""
