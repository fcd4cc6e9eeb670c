"""The commands of simuctl, a module per group; each registers itself on the root."""
