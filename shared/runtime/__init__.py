"""The one machine that runs every stateful service: batches in, journal and snapshots, records out."""
