"""The findings about a whole study, one file each."""
