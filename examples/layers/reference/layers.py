"""Nothing is to be programmed: the homework is on paper."""
