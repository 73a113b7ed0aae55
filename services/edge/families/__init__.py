"""The operations of the API, one package per family."""
