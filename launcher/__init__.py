"""The launcher: one container and one volume for every simulated charge point."""
