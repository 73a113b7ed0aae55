"""The CRM document's family (`seeds/000`): keys in any case, answers in camelCase."""
