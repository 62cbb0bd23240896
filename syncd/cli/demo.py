"""``demo``: three bureaus on this machine, with their own systems and real HTTPS between them."""

from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.options import AsJson


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Folder for the three nodes.")] = Path(".demo"),
    serve: Annotated[bool, typer.Option("--serve", help="Leave the three daemons running.")] = False,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Another month of data.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole thing 演示: three bureaus exchange findings, restrict and clear companies, all read back.

    Leaves each bureau's node in DIR, so that every command can be tried on it with -c. Exits 0 only if everything
    it claims was checked in the three stores and in the three bureau systems.

    \b
    Example:
      syncd demo --dir .demo --serve
    """
    from syncd.demo.run import main

    raise typer.Exit(main(folder, serve=serve, seed=seed, as_json=as_json))
