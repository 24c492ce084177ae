"""What is publicly known: advisories of many publishers, and how urgent each flaw is."""
