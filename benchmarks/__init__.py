"""What is measured by `make bench`: real samples, real registries' files, in the same run as a peer."""
