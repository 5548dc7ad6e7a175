"""Predictions of a saved model, for packed photos and for new ones."""
