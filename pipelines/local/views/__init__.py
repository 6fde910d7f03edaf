"""What people see of runs and models: lines for any output, a live table for terminals."""
