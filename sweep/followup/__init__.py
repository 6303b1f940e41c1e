"""What is trained or measured after a study: confirmation, winner, treatment, audit, diagnosis."""
