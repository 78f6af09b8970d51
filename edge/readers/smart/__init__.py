"""Smart readers that publish by themselves: what their payloads mean, and a thin subscriber."""
