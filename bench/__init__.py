"""The benchmark: what Fealty does, beside what the machine could do with nothing of Fealty in the way."""
