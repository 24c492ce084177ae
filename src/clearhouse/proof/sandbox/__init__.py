"""The engine's side of the sandbox: starting it, giving it jobs, checking that it holds."""
