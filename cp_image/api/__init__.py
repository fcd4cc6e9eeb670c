"""The published MQTT interface of a charge point: its topics and its payloads."""
