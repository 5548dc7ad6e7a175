"""Training: the order of the photos, the optimiser, the callbacks, and the two phases."""
