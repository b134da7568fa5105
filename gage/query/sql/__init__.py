"""`gage query`: runs as tables of DuckDB."""
