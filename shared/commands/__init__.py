"""What the commands of `fealty` do, a file a group; shared/cli.py declares them and imports these when they run."""
