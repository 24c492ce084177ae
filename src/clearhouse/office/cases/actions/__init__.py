"""What is done in cases, one module for each kind of decision."""
