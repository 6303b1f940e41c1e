"""Statistics on scores: bootstrap intervals, rankings over seeds, paired effects."""
