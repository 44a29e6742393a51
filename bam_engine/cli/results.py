"""``audit``, ``report`` and ``export``: check the result, describe it, hand it on."""

import math
import shlex
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from bam_engine.audit import audits
from bam_engine.audit.charts import chart_file
from bam_engine.charts import PALETTES
from bam_engine.cli.arguments import Commands, add_command, add_raw_text, given_path, positive_integer
from bam_engine.cli.progress import bar
from bam_engine.errors import AuditError, ExchangeError
from bam_engine.exchange import manifest
from bam_engine.exchange.image_files import WAYS
from bam_engine.files import check_output, replacing
from bam_engine.formatting import count, decimal, percent_interval
from bam_engine.labelling.tasks import attribute_of
from bam_engine.reporting import export as exporting
from bam_engine.reporting import results
from bam_engine.reporting.image_contents import SHARES, Content
from bam_engine.reporting.readiness import not_ready
from bam_engine.reporting.report import gather
from bam_engine.reporting.report_file import write_report
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_encoder, one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the commands to the parser."""
    command = add_command(commands, "audit", audit, "draw an audit, print its result, or chart all audits")
    command.add_argument("name", nargs="?", help="attribute; optional with --chart")
    command.add_argument("--draw", action="store_true", help="draw a new sample, to be labelled in the app")
    command.add_argument(
        "--accepted",
        type=positive_integer,
        default=audits.IMAGES_PER_SIDE,
        help="accepted images to draw (default: %(default)s)",
    )
    command.add_argument(
        "--rejected",
        type=positive_integer,
        default=audits.IMAGES_PER_SIDE,
        help="rejected images to draw (default: %(default)s)",
    )
    command.add_argument(
        "--votes", type=positive_integer, help="votes required per image (default: as in the workspace)"
    )
    command.add_argument(
        "--chart", type=given_path, help="chart the audited precision of all attributes (.svg, .png, .csv)"
    )
    command.add_argument(
        "--theme", choices=PALETTES, default="light", help="colours of an .svg or .png chart (default: %(default)s)"
    )
    add_raw_text(command)
    command = add_command(commands, "report", report, "write an attribute's report as one HTML file")
    command.add_argument("name", help="attribute")
    command.add_argument("--out", type=given_path, help="file to write (default: NAME.html)")
    _add_export(commands)
    command = add_command(
        commands, "check-export", check_export, "compare the files of an export with its manifest", opened=False
    )
    command.add_argument("export", type=given_path, help="folder, file or manifest of the export")


def _add_export(commands: "Commands[ArgumentParser]") -> None:
    command = add_command(commands, "export", export, "write the dataset")
    command.add_argument("target", type=given_path, help="file or folder to write")
    command.add_argument(
        "--format",
        choices=exporting.FORMATS,
        help="sqlite: one file with the tables of BAM; csv: a folder of tables; parquet, jsonl: a row for each image; "
        "imagefolder (Hugging Face), folders (one for each label), fiftyone, webdataset: a new folder with pictures "
        "(default: by the end of the name, .parquet or .jsonl; else sqlite)",
    )
    command.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME",
        help="export this attribute; repeatable (default: all). This and the next four are not for sqlite and csv",
    )
    command.add_argument(
        "--accepted", action="store_true", help="export only the images that are accepted for one of the attributes"
    )
    command.add_argument(
        "--splits",
        type=_shares,
        nargs="?",
        const=SHARES,
        metavar="SHARES",
        help="say of each image whether it trains, validates or tests, images of one project and near-duplicates "
        "together; with shares such as 70,15,15 (default: 80,10,10)",
    )
    command.add_argument(
        "--images",
        choices=WAYS,
        default="copy",
        help="how pictures come into the folder of a format with pictures (default: %(default)s)",
    )
    command.add_argument("--seed", type=int, default=0, help="of the splits (default: %(default)s)")
    command.add_argument(
        "--encoder",
        action="append",
        default=[],
        type=_attribute_and_encoder,
        metavar="NAME=ENCODER",
        help="take the scores and decisions of attribute NAME from another encoder than the one in use; repeatable",
    )
    add_raw_text(command)


def _shares(text: str) -> tuple[float, ...]:
    """Parse three numbers as shares of their sum."""
    try:
        parts = [float(part) for part in text.split(",")]
    except ValueError:
        parts = []
    if len(parts) != len(SHARES) or min(parts) < 0 or not 0 < sum(parts) < math.inf:
        raise ArgumentTypeError(f"{text} is not three shares, such as 80,10,10")
    return tuple(part / sum(parts) for part in parts)


def _attribute_and_encoder(text: str) -> tuple[str, str]:
    name, _, encoder = text.partition("=")
    if not name or not encoder:
        raise ArgumentTypeError(f"{text} is not an attribute and an encoder, such as content_dog=builtin")
    return name, encoder


@one_flow
def audit(workspace: Workspace, options: Namespace) -> None:
    """Draw an audit, print the result of the latest one, or write the chart of every attribute."""
    if options.chart is not None:
        form = options.chart.suffix.lstrip(".").lower()
        _write(
            options.chart, chart_file(audits.finished_audits(workspace), form, options.theme, raw_text=options.raw_text)
        )
    if options.name is None:
        if options.chart is None:
            raise AuditError("No attribute is given. Name one, or chart all with --chart FILE.")
        return
    attribute = attribute_of(workspace, options.name)
    if options.draw:
        audits.draw(
            workspace, attribute, n_accepted=options.accepted, n_rejected=options.rejected, people=options.votes
        )
    result = audits.latest_result(workspace, attribute)
    if result is None:
        print(
            f"The threshold of {attribute.name} is not audited. Draw an audit with `bam audit {attribute.name} --draw`."
        )
        other = results.better_elsewhere(workspace, attribute)
        if other is not None:
            print(other.note)
        return
    print(f"{result.state.answered:,} of {count(result.state.total, 'image')} labelled")
    for name, estimate in (
        ("precision", result.precision),
        ("precision by BAM's definition", result.by_any),
        ("missed positives", result.missed),
    ):
        if estimate is not None:
            interval = percent_interval(estimate.value, estimate.low, estimate.high)
            effect = decimal(estimate.design_effect)
            print(f"{name}: {interval}, {estimate.k:,} of {estimate.n:,}, design effect {effect}")
    if result.verdict is not None:
        print(result.verdict.summary)


@one_flow
def report(workspace: Workspace, options: Namespace) -> None:
    """Write the report of an attribute as one HTML file."""
    attribute = attribute_of(workspace, options.name)
    text = write_report(workspace, gather(workspace, attribute))
    _write(options.out or Path(f"{attribute.name}.html"), text.encode())


@one_encoder
def export(workspace: Workspace, options: Namespace) -> None:
    """Write the dataset, print the files, and what other encoders have for its attributes."""
    encoders = dict(options.encoder)
    for name, problem in not_ready(workspace, options.attribute, encoders):
        print(f"{name} is not ready. {problem}", file=sys.stderr)
    with bar("export", "steps") as report:
        paths = exporting.export(
            workspace,
            options.target,
            form=options.format or exporting.form_of(options.target),
            raw_text=options.raw_text,
            encoders=encoders,
            content=Content(tuple(options.attribute), options.accepted, options.splits, options.seed),
            pictures=options.images,
            report=report,
        )
    for path in paths:
        print(path)
    for name, other in results.overlooked(workspace, encoders).items():
        print(f"{name}: {other.note} To export the other result: --encoder {name}={shlex.quote(other.result.choice)}")


def check_export(options: Namespace) -> None:
    """Compare the files of an export with its manifest; fail if one differs."""
    with bar("check", "files") as report:
        faults = manifest.check_export(options.export, report=report)
    for fault in faults:
        print(f"{fault.path} {fault.problem}")
    if faults:
        verb = "differs" if len(faults) == 1 else "differ"
        raise ExchangeError(f"{count(len(faults), 'file')} of the export {verb} from its manifest. Export it again.")
    print(f"Every file is as it was written: {manifest.manifest_of(options.export)}")


def _write(path: Path, data: bytes) -> None:
    """Write a file atomically and print its path."""
    try:
        check_output(path)
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise ExchangeError(f"Cannot write {path}: {error.strerror or error}.") from error
    print(path)
