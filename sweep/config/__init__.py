"""What a study and a trial are, as frozen, validated values; and how a study file becomes them."""
