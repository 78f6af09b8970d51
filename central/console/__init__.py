"""NiceGUI operations console."""
