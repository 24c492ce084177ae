"""The proof engine: runs reproducers and says what they show (docs/proof.md)."""
