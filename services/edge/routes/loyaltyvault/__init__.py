"""The LoyaltyVault document's family (`seeds/003`): keys in any case, answers in camelCase."""
