"""`fm completion`."""

from __future__ import annotations

import click

WHERE = """\b
bash:  fm completion bash >> ~/.bashrc
zsh:   fm completion zsh >> ~/.zshrc
fish:  fm completion fish > ~/.config/fish/completions/fm.fish
"""


@click.command(epilog=WHERE)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes `fm` in your shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is not None:  # always so: click has the three shells that the choice lets through
        click.echo(kind(ctx.find_root().command, {}, "fm", "_FM_COMPLETE").source())
