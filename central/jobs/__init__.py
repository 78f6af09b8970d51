"""What the service does by the clock: procrastinate's queue in the service's own database, and the jobs on it."""
