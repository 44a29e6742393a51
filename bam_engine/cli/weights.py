"""``weights``: fetch the weights of an encoder into a file."""

import shlex
from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import EPILOG, Commands, add_command, given_path
from bam_engine.cli.progress import bar
from bam_engine.embedding.weights import fetch_weights, find_weights
from bam_engine.formatting import file_size


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommand to the parser."""
    text = "fetch the weights of an encoder, for computers without a network"
    command = commands.add_parser("weights", help=text, description=f"{text.capitalize()}.", epilog=EPILOG)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "get", get, "fetch the weights of an OpenCLIP encoder into a file", opened=False)
    action.add_argument("encoder", help="openclip:MODEL/PRETRAINED")
    action.add_argument("--to", type=given_path, required=True, metavar="FILE", help="the file to write")


def get(options: Namespace) -> None:
    """Show the size and the licence of the weights, fetch what is missing of them, and say how they are used."""
    weights = find_weights(options.encoder)
    licence = f"licence: {weights.licence}" if weights.licence else "the hub states no licence"
    print(f"{weights.name} of {weights.repository}: {file_size(weights.size)}, {licence}", flush=True)
    with bar("fetch", "bytes") as report:
        fetched = fetch_weights(weights, options.to, report=report)
    print(f"{options.to} {'has been fetched' if fetched else 'is there already'}; its digest is right")
    print(f"use it: bam embed --encoder {shlex.quote(weights.spec)} --checkpoint {shlex.quote(str(options.to))}")
