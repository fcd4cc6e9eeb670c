"""OCPP 1.6J: a module per feature profile, each a table of actions."""
