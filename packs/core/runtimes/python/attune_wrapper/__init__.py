"""What the programs of the core pack that run Python code share. It has no word in what authors see: its frames are
left out of tracebacks, and no module of theirs has its name."""
