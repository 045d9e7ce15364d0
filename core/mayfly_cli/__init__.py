"""The `mayfly` command: a thin layer of options, words and exit codes over the programs."""
