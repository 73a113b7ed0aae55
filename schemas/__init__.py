"""The wire: every type that crosses a topic or the HTTP edge, and the table of topics.

The only package that services share for what they say to each other. JSON Schemas, AsyncAPI and OpenAPI are
generated from it (`make schemas`), committed beside it, and checked for staleness and for breaking changes.
"""
