"""What `make bench` measures: real samples, real releases, and a peer in the same run."""
