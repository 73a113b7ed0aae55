"""What all families of the API share: bodies, parameters, pages, problems, the OpenAPI document."""
