"""The command line: reads arguments, asks the host, prints."""
