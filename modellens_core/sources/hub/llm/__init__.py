"""Reading README tables with a language model: asking (I/O), and checking what it answered (pure)."""
