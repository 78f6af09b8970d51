"""How loud each side was, and when: reads, smoothed levels, tops and widths."""
