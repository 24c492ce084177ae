"""Programs that go with an item's harness into the agent's sandbox: see ``trying.py``."""
