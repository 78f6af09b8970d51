"""From a decoder's batch to rows that an engine takes: where each read was heard, when, and whether in time."""
