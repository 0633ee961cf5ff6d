"""Model values to text: xl's plain format, rich tables, JSON, YAML, CSV, from the same columns."""
