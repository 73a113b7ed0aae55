"""The commands of `fealty` as they are declared, a file a group; each imports what does it as it runs."""
