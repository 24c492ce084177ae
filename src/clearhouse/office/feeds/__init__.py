"""What is publicly known: advisories of many publishers, and what raises or lowers their urgency."""
