"""The live dashboard: a Textual app over the mirror of an environment."""
