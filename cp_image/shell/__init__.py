"""The charge point's I/O: WebSocket, MQTT, SQLite, clock."""
