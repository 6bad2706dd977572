"""`redress policy`: check policy packs before they take effect, and say what changes between two."""

from pathlib import Path
from typing import Annotated

import typer

from libs.policy import difference, pack

commands = typer.Typer(no_args_is_help=True, help="Check and compare policy packs.")


@commands.command()
def check(files: Annotated[list[Path], typer.Argument(help="policy packs (YAML)")]) -> None:
    """Say everything that is wrong with policy packs, as FILE:LINE: REASON; status 1 when anything is."""
    wrong = False
    for file in files:
        try:
            found = _read(str(file))
        except pack.WrongPack as faults:
            wrong = True
            typer.echo(str(faults))
        else:
            typer.echo(f"{file}: {found.reference} is in order, in effect from {found.effective_from}")
    raise typer.Exit(1 if wrong else 0)


@commands.command()
def diff(
    before: Annotated[str, typer.Argument(help="a policy pack (YAML), or the name of one that is shipped")],
    after: Annotated[str, typer.Argument(help="the one to compare it with")],
) -> None:
    """Say in plain words what changes from one policy pack to another."""
    try:
        old, new = _read(before), _read(after)
    except pack.WrongPack as faults:
        typer.echo(str(faults), err=True)
        raise typer.Exit(1) from None
    changes = difference.differences(old, new)
    for sentence in changes or [f"{old.reference} and {new.reference} say the same"]:
        typer.echo(sentence)


def _read(given: str) -> pack.Pack:
    """A file, or where there is none of that name, a shipped pack; WrongPack."""
    file = Path(given)
    if not file.exists() and (pack.FOLDER / f"{given}.yaml").is_file():
        return pack.load(given)
    try:
        return pack.parse(file.read_text("utf-8"), given)
    except UnicodeDecodeError:
        raise pack.WrongPack([pack.Fault(given, 1, "this is no text in UTF-8")]) from None
    except OSError as error:
        raise pack.WrongPack([pack.Fault(given, 0, error.strerror or "cannot be read")]) from None
