"""The OCPP dialects."""
