"""Serves the model."""
