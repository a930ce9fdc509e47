"""The ways out to people, and for some the ways back in: one edge per platform behind one contract."""
