# SPDX-License-Identifier: Apache-2.0
"""The tree of commands, its help in the language of the reader."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.highlighter import Highlighter
from rich.text import Text
from typer import rich_utils

from lvbo.cli.commands import (
    bench,
    check,
    compare,
    count,
    demo,
    diagram,
    doctor,
    explain,
    export,
    init,
    log,
    periods,
    plan,
    report,
    simulate,
    transition,
    wave,
)
from lvbo.text import Language, say, table

COMMANDS = (
    ("demo", demo.demo),
    ("init", init.init),
    ("check", check.check),
    ("explain", explain.explain),
    ("count", count.count),
    ("periods", periods.periods),
    ("plan", plan.plan),
    ("wave", wave.wave),
    ("diagram", diagram.diagram),
    ("transition", transition.transition),
    ("simulate", simulate.simulate),
    ("compare", compare.compare),
    ("log", log.log),
    ("report", report.report),
    ("export", export.export),
    ("doctor", doctor.doctor),
)
HELP_NAMES = {"help_option_names": ["-h", "--help"]}


def build_app(language: Language) -> Any:  # noqa: ANN401  typer carries its own copy of click
    """Return the root command with every help text in one language."""
    app = typer.Typer(name="lvbo", help="cli_help_lvbo", add_completion=False, no_args_is_help=True)
    app.callback(context_settings=HELP_NAMES)(_root)
    for name, function in COMMANDS:
        app.command(name, help=f"cli_help_{name}", context_settings=HELP_NAMES)(function)
    benches = typer.Typer(no_args_is_help=True)
    benches.command("bands", help="cli_help_bands", context_settings=HELP_NAMES)(bench.bands)
    benches.command("plans", help="cli_help_plans", context_settings=HELP_NAMES)(bench.plans)
    benches.command("control", help="cli_help_control", context_settings=HELP_NAMES)(bench.control)
    benches.command("gate", help="cli_help_gate", context_settings=HELP_NAMES)(bench.gate)
    benches.command("latency", help="cli_help_latency", context_settings=HELP_NAMES)(bench.latency)
    benches.command("coordination", help="cli_help_coordination", context_settings=HELP_NAMES)(
        bench.coordination
    )
    benches.command("waves", help="cli_help_waves", context_settings=HELP_NAMES)(bench.waves)
    benches.command("transitions", help="cli_help_transitions", context_settings=HELP_NAMES)(
        bench.transitions
    )
    benches.command("scale", help="cli_help_scale", context_settings=HELP_NAMES)(bench.scale)
    benches.command("model", help="cli_help_model", context_settings=HELP_NAMES)(bench.model)
    benches.command("area", help="cli_help_area", context_settings=HELP_NAMES)(bench.area)
    app.add_typer(benches, name="bench", help="cli_help_bench", context_settings=HELP_NAMES)
    _name_panels(language)
    root = typer.main.get_command(app)
    _finish(root, language)
    return root


def click_errors() -> tuple[type[Exception], type[BaseException]]:
    """Return the errors that say the call is wrong, and that the user gave up."""
    return typer.BadParameter.__bases__[0], typer.Abort


def _root() -> None:
    """Stand above the commands; it does nothing by itself."""


def _common(
    lang: Annotated[Language | None, typer.Option(help="cli_opt_lang")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="cli_opt_json")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="cli_opt_quiet")] = False,
) -> None:
    """Declare what every command understands; the session has read it already."""


def _common_options() -> list[Any]:
    app = typer.Typer(add_completion=False)
    app.command()(_common)
    options = list(typer.main.get_command(app).params)
    for option in options:
        option.expose_value = False
    return options


def _finish(command: Any, language: Language) -> None:  # noqa: ANN401
    """Add the common options to a command and all below it, and put its help into words."""
    command.help = _words(command.help, language)
    command.short_help = None
    _translate(command, language)
    children = getattr(command, "commands", {})
    command.params.extend(_common_options())
    for option in command.params:
        option.help = _words(getattr(option, "help", None), language)
    for child in children.values():
        _finish(child, language)


def _translate(command: Any, language: Language) -> None:  # noqa: ANN401
    """Put into words what the parser adds to the help of a command by itself."""
    help_option, usage = command.get_help_option, command.get_usage

    def with_words(ctx: Any) -> Any:  # noqa: ANN401
        option = help_option(ctx)
        option.help = say("cli_opt_help", language)
        return option

    command.get_help_option = with_words
    command.get_usage = lambda ctx: usage(ctx).replace("Usage:", say("cli_usage", language), 1)
    command.options_metavar = say("cli_usage_options", language)


def _words(key: str | None, language: Language) -> str | None:
    return say(key, language) if key is not None and key in table(language) else key


class _Folding(Highlighter):
    """Highlight as another one does; what is too long for a line goes on in the next one.

    Chinese has no spaces, and Rich would cut it off.
    """

    def __init__(self, of: Highlighter) -> None:
        self._of = of

    def highlight(self, text: Text) -> None:
        self._of.highlight(text)
        text.overflow = "fold"


def _name_panels(language: Language) -> None:
    parts: Any = rich_utils
    parts.highlighter = _Folding(rich_utils.OptionHighlighter())
    parts.types_highlighter = _Folding(rich_utils.TypesHighlighter())
    rich_utils.OPTIONS_PANEL_TITLE = say("cli_panel_options", language)
    rich_utils.ARGUMENTS_PANEL_TITLE = say("cli_panel_arguments", language)
    rich_utils.COMMANDS_PANEL_TITLE = say("cli_panel_commands", language)
    rich_utils.REQUIRED_LONG_STRING = f"[{say('cli_panel_required', language)}]"
    rich_utils.DEFAULT_STRING = f"[{say('cli_panel_default', language)}: {{}}]"
