"""HTTP code that all families of the API share: bodies, parameters, paging, problems, the OpenAPI document."""
