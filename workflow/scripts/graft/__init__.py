"""The library behind Graft's scripts: pure functions and typed settings, free of Snakemake."""
