"""From an archive or a folder to checked photos, a split and packed pixels."""
