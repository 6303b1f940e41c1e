"""Results printed in the terminal."""
