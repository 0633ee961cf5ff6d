"""Which hosts there are and how to reach them: hosts.yaml."""
