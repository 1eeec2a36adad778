"""`python -m connector.cli`: the `preau` command where the script is not on the path."""

from connector.cli.main import run

run()
