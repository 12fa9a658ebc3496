"""`python -m handgrad` is the `handgrad` command."""

from handgrad.cli.main import run

if __name__ == "__main__":
    run()
