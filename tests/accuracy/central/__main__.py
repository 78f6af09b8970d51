"""`python -m tests.accuracy.central [small|training] [--days N]`: a look at how right the central is; keeps nothing."""

from typing import Annotated

import typer

from tests.accuracy.central.figures import figures_of, not_built
from tests.accuracy.central.run import measure
from tests.bench.__main__ import show


def main(
    estate: Annotated[str, typer.Argument(help="Which: small takes minutes, training longer.")] = "small",
    days: Annotated[int, typer.Option(help="Play so many days only; 0 for all.")] = 0,
) -> None:
    """Play an estate through the central and print what it got right."""
    scores = measure(estate, days=days or None)
    show(f"How right the central is: {estate}", figures_of(scores))
    for title in not_built(scores):
        typer.echo(f"not built: {title}")


if __name__ == "__main__":
    typer.run(main)
