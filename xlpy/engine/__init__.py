"""What makes domains run on this host."""
