"""Access to models under review: endpoints, grants, and what was done with them."""
