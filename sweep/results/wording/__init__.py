"""Results in words: each result is worded once, here."""
