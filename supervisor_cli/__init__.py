"""simuctl, the supervisor of a fleet of simulated charge points, and its Python library."""
