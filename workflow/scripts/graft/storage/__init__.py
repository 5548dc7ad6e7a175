"""Reading and writing the files of the chain: atomic writes, seals, and a clear message when a disk is full."""
