"""The customer service: profiles, cards, contact data, consents, and who may have which e-mail, phone and card."""
