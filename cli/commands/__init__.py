"""What the commands of `fealty` do, a file a group; cli/main.py declares them and imports these when they run."""
