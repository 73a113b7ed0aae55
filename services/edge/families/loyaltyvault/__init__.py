"""The family of the LoyaltyVault document: case-insensitive keys, responses in camelCase."""
