"""Opening and previewing a study: its file, results folder, data and engine."""
