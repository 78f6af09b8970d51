"""MQTT port and the forwarder."""
