"""`python -m sweep.cli`: the command line without its installed script."""

from sweep.cli import main

main(prog_name="sweep")
