"""The command line: one module for each noun, nothing here that an engine could decide."""
