"""How urgent a flaw on a system is: what is known, what follows, and how it is told."""
