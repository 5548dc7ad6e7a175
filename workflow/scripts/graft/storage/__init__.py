"""Files of the chain: written whole or not at all, sealed, and noticed when a disk is full."""
