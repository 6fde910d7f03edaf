"""Stands where the SDK and the definition want a processing script; no test runs it."""
