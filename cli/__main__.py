"""`python -m cli`: the command `fealty`."""

from cli.main import main

main()
