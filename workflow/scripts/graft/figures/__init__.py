"""The pictures of a run: a module each, made from the tables alone; only `gradcam` loads a network."""
