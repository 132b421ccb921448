# click: commands, options, help and errors.
import click
from click.testing import CliRunner


@click.group()
@click.option('--debug/--no-debug', default=False)
@click.pass_context
def cli(ctx, debug):
    ctx.obj = debug


@cli.command()
@click.argument('names', nargs=-1)
@click.option('-n', '--count', type=click.IntRange(1, 5), default=1, show_default=True, help='How often.')
@click.option('--mode', type=click.Choice(['a', 'b']))
@click.pass_obj
def hello(debug, names, count, mode):
    """Say hello."""
    for i in range(count):
        click.echo(f'{debug} {names} {mode}')


r = CliRunner()
for args in (['--help'], ['hello', '--help'], ['--debug', 'hello', 'x', 'y', '-n', '2'], ['hello', '-n', '9'], ['hello', '--mode', 'q'], ['helo'], ['hello', '--cuont', '1']):
    x = r.invoke(cli, args)
    print(x.exit_code, x.output)
