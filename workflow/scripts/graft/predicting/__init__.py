"""Asking a saved model about photos, packed ones and new ones."""
