"""Bytes that rooms keep: proofs, verdicts, patches, files."""
