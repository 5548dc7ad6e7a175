"""Networks: backbones with their weights and preprocessing, heads, and the two joined."""
