"""What a stored study means: tables, selection of the winner, checks, one document, one wording."""
