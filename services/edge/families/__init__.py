"""The routes, one package per document family."""
