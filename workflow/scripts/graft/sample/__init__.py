"""Photos drawn from a seed, so that a demo needs no download: urban and rural scenes, and textures."""
