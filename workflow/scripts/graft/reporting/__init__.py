"""Reports of finished runs: provenance, model card, summary, and their repetition."""
