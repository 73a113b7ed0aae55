"""The CRM document's family: keys in any case, answers in camelCase."""
