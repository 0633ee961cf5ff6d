"""Ways to reach an agent: a connected stream, whatever it runs over."""
