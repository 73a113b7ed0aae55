"""The shapes of our own family's bodies and answers, a module a subject."""
