"""Single rays: pattern, polarisation, floor, mirrors, shadows, scattered waves."""
