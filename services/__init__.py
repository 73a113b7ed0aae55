"""The services: each imports the wire and what is shared, never another service."""
