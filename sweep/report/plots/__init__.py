"""Pictures: PNG bytes from tables and arrays."""
