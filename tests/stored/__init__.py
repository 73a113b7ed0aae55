"""Documents as they are stored: those that today's code writes, and those kept from each version of their shape."""
