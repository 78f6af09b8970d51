"""psycopg repositories; SQL in files."""
