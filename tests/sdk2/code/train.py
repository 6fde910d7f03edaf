"""Stands where the SDK and the definition want a training script; no test runs it."""
