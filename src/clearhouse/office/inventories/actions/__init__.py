"""What is done to systems and inventories: one module for each part."""
