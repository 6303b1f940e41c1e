"""Opening a study: its file, its results folder, its data, its engine."""
