"""`redress`: everything a person does with the system from a terminal."""

import typer

from deploy.commands import audit, bus, importing, policy
from deploy.local import demo, up
from deploy.simulation import command as simulation

main = typer.Typer(
    name="redress", no_args_is_help=True, help="Complaints, handled in eight steps and proved."
)
main.command()(up.up)
main.command()(up.down)
main.command()(up.token)
main.command()(demo.demo)
main.command("import")(importing.import_file)
main.command()(simulation.simulate)
main.add_typer(audit.commands, name="audit")
main.add_typer(bus.commands, name="bus")
main.add_typer(policy.commands, name="policy")

if __name__ == "__main__":
    main()
