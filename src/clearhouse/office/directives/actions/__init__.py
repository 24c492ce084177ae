"""What is done with directives and obligations."""
