"""What the broken definitions would run."""
