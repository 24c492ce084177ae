"""What deployers run, what touches it, and by when they have to act."""
