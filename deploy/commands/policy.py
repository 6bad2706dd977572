"""`redress policy`: check policy packs before they take effect, say what changes, publish them."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import publishing, source
from deploy.local import up
from deploy.local.folder import NotUp
from libs.policy import difference, pack

commands = typer.Typer(no_args_is_help=True, help="Check, compare and publish policy packs.")


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


@commands.command()
def publish(
    file: Annotated[Path, typer.Argument(help="the policy pack (YAML)")],
    author: Annotated[
        str, typer.Option(help="Who publishes, on the local system; you.", default_factory=getpass.getuser)
    ],
    url: Annotated[
        str | None,
        typer.Option(
            envvar="REDRESS_OVERSIGHT_URL", help="Oversight's address; else that of the local system."
        ),
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="REDRESS_TOKEN", help="With --url: a token with scope policy:write.")
    ] = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, for programs.")] = False,
) -> None:
    """Put a policy pack in force from its day on; status 1: it is refused, 2: nobody could be asked."""
    try:
        text = file.read_bytes().decode("utf-8")
        if url is not None and token is None:
            raise publishing.NotReached("--url needs --token, or REDRESS_TOKEN")
        oversight = (
            publishing.Oversight(url, token)
            if url is not None and token is not None
            else publishing.Oversight.local(data_dir, author)
        )
        outcome = oversight.publish(text)
    except UnicodeDecodeError:
        typer.echo(str(pack.Fault(str(file), 1, "this is no text in UTF-8")), err=True)
        raise typer.Exit(1) from None
    except (publishing.NotReached, NotUp, OSError) as why:
        typer.echo(str(why), err=True)
        raise typer.Exit(source.REFUSED) from None
    refused = isinstance(outcome, publishing.Refused)
    typer.echo(outcome.told(file, as_json=as_json), err=refused and not as_json)
    raise typer.Exit(1 if refused else 0)


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
