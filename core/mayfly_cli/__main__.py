"""`python -m mayfly_cli` is the `mayfly` command."""

from mayfly_cli.start import main

if __name__ == "__main__":
    main()
