"""Publishing again what a service's store says: its snapshots, and its public changes (protocol P7 and P10)."""

from cli.republish.republisher import Republisher

__all__ = ["Republisher"]
