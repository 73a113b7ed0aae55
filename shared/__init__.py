"""What every service is built with: the runtime, the embedded stack, the command line."""
