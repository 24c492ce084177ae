"""Who is touched: software inventories on one side, vulnerabilities on the other."""
