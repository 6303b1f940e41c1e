"""What people see: results in the terminal, on a page, as pictures."""
