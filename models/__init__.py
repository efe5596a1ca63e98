"""Shipped recognisers and the trainer that makes them."""
