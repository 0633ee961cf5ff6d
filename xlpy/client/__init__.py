"""The engine's operations, called from afar."""
