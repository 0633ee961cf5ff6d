"""What TAB offers: ``line`` takes the command line apart, ``place`` says what is wanted at its end, ``values`` and
``live`` know what fits there, and ``answer`` tells it to the shell."""
