"""From "something is worth telling" to copies on people's screens that say what became of it."""
