"""MQTT to one idempotent transaction to watermark."""
