"""The family of the gift card document: case-insensitive keys and paths, every call a POST."""
