"""A simulated EV charge point: everything that goes into the charge point image."""
