"""Sending commands over Kafka, receiving their outcomes, and polling them."""
