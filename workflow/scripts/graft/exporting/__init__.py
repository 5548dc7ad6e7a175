"""A model in forms other than Keras's own: written, asked in their own runtimes, and proved on every judged photo."""
