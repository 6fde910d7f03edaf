"""What the broken definitions would train with."""
