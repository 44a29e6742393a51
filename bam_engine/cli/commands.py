"""What each subcommand does: call one flow of the workspace, print what came of it."""

from argparse import Namespace
from pathlib import Path

from bam_engine.annotation import BAM_ATTRIBUTES
from bam_engine.audit import audits, chart
from bam_engine.cli.progress import bar
from bam_engine.collection import ingest_folder
from bam_engine.errors import AnnotationError, AuditError, ExchangeError
from bam_engine.files import replacing
from bam_engine.labelling.tasks import attribute_of
from bam_engine.reporting import export as exporting
from bam_engine.reporting.overview import NextStep, overview
from bam_engine.reporting.report import gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training import rounds, thresholds
from bam_engine.training.models import rescore_all, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection


def ingest(workspace: Workspace, options: Namespace) -> None:
    """Add a folder of images and list what could not be read."""
    with bar("ingest", "images") as report:
        found = ingest_folder(
            workspace.catalogue,
            workspace.thumbnails,
            options.folder,
            metadata=options.metadata,
            project=options.project,
            report=report,
        )
    print(
        f"{found.added} images added, {found.known} known before, {found.moved} moved, {len(found.identical)} "
        f"identical to another, {len(found.unreadable)} unreadable, {found.others} other files"
    )
    for problem in found.unreadable:
        print(f"  {problem.uri}: {problem.reason}")


def embed(workspace: Workspace, options: Namespace) -> None:
    """Embed what has no vector yet, with the encoder asked for or the one in use."""
    if options.encoder:
        workspace.choose_encoder(options.encoder, options.checkpoint)
    with bar("embed", "images") as report:
        made = embed_collection(workspace, report=report)
    print(f"{made.embedded} images embedded with {workspace.choice.spec} at {made.rate:.1f} a second")
    if made.failed:
        print(f"{made.failed} images could not be embedded: `status` and the Embeddings page list them")


def add_attribute(workspace: Workspace, options: Namespace) -> None:
    """Define an attribute from its question, or from BAM's template of that name."""
    templates = {template.name: template for template in BAM_ATTRIBUTES}
    if options.question:
        made = workspace.attributes.add(options.name, options.kind, options.question, options.instructions)
    elif options.name in templates:
        found = templates[options.name]
        made = workspace.attributes.add(found.name, found.kind, found.question, found.instructions)
    else:
        raise AnnotationError(
            f"{options.name} is none of BAM's attributes, so it needs a --question. BAM's are {', '.join(templates)}"
        )
    print(f"{made.name} ({made.kind}): {made.question}")


def list_attributes(workspace: Workspace, _options: Namespace) -> None:
    """Print the attributes."""
    for attribute in workspace.attributes.all():
        print(f"{attribute.name:30} {attribute.kind:8} {attribute.question}")


def score(workspace: Workspace, options: Namespace) -> None:
    """Train on the labels there are and score every image; or score all attributes anew by the models there are."""
    if options.all:
        with bar("score", "images") as report:
            done = rescore_all(workspace, report=report)
        print(f"{len(workspace.vectors())} images scored anew for {', '.join(a.name for a in done) or 'no attribute'}")
        return
    attribute = attribute_of(workspace, options.name)
    with bar("score", "steps") as report:
        model = rounds.train(workspace, attribute, report=report)
    details = model.details
    print(
        f"{details['labels']} labels ({details['n_positive']} positive), {len(scores_of(workspace, attribute))} scored"
    )
    measured = details["measured"]
    if found := measured.get("average_precision"):
        print(f"average precision {_interval(found['value'], found['low'], found['high'])} on the validation set")
    if measured.get("problem"):
        print(measured["problem"])


def threshold(workspace: Workspace, options: Namespace) -> None:
    """Choose the threshold for a precision, or for a recall, and keep it."""
    attribute = attribute_of(workspace, options.name)
    number = len(workspace.attributes.all()) if options.at_once else 1
    confidence = thresholds.confidence_for(number)
    if options.recall is None:
        found = thresholds.suggest(workspace, attribute, target=options.target, confidence=confidence)
    else:
        found = thresholds.suggest_recall(
            workspace, attribute, recall=options.recall, target=options.target, confidence=confidence
        )
    if not options.dry_run:
        thresholds.keep(workspace, attribute, found)
    print(f"accept scores of at least {found.value:.4f}: {found.n_accepted} images")
    print(f"precision {_interval(found.precision, found.precision_low, found.precision_high)}")
    print(f"recall    {_interval(found.recall, found.recall_low, found.recall_high)}")
    print(found.evidence)


def audit(workspace: Workspace, options: Namespace) -> None:
    """Draw an audit, print what people's answers say of the last one, or write the chart of every attribute."""
    if options.chart is not None:
        _write(options.chart, chart.chart(audits.audited(workspace), options.chart.suffix.lstrip(".").lower()))
    if options.name is None:
        if options.chart is None:
            raise AuditError("no attribute is named: name one, or write the chart of all with --chart FILE.")
        return
    attribute = attribute_of(workspace, options.name)
    if options.draw:
        audits.draw(
            workspace, attribute, n_accepted=options.accepted, n_rejected=options.rejected, people=options.people
        )
    found = audits.latest_result(workspace, attribute)
    if found is None:
        print(f"{attribute.name} has no audit of its threshold: draw one with --draw")
        return
    print(f"{found.state.answered} of {found.state.asked} images are judged")
    for name, share in (
        ("precision", found.precision),
        ("precision, BAM's definition", found.by_any),
        ("missed", found.missed),
    ):
        if share is not None:
            worth = f"{share.k} of {share.n}, design effect {share.design_effect:.2f}"
            print(f"{name}: {_interval(share.value, share.low, share.high)}, {worth}")
    if found.promise is not None:
        print(found.promise.evidence)


def report(workspace: Workspace, options: Namespace) -> None:
    """Write the report of an attribute as one HTML file."""
    attribute = attribute_of(workspace, options.name)
    text = write_report(workspace, gather(workspace, attribute))
    _write(options.out or Path(f"{attribute.name}.html"), text.encode())


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and print where it is."""
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise ExchangeError(f"{path} cannot be written: {error.strerror or error}") from error
    print(path)


def export(workspace: Workspace, options: Namespace) -> None:
    """Write the dataset."""
    with bar("export", "tables") as report:
        written = exporting.export(workspace, options.target, form=options.format, report=report)
    for path in written:
        print(path)


def status(workspace: Workspace, _options: Namespace) -> None:
    """Print where everything stands and what to do next."""
    found = overview(workspace)
    kind = "generated images" if found.generated else "images"
    played = f", {found.simulated} by simulated annotators" if found.generated else ""
    said = f"{found.by_people} answers by people{played}"
    print(f"{found.images} {kind}, {found.embedded} embedded with {found.encoder}, {said}")
    for problem in workspace.catalogue.problems():
        print(f"  {problem.stage}: {problem.uri}: {problem.reason}")
    for line in found.attributes:
        shares = [
            f"{name} {_interval(*share)}"
            for name, share in (("precision", line.precision), ("recall", line.recall), ("audited", line.audited))
            if share is not None
        ]
        print(f"{line.name}: {line.rounds} rounds, {line.labels} labels{''.join(', ' + share for share in shares)}")
        if line.truth is not None and (true := line.truth.threshold) is not None:
            print(f"  true, known only of generated images: precision {true.precision:.3f}, recall {true.recall:.3f}")
    print(f"next: {next_words(found.next)}")


_NEXT = {
    "add_images": "add images (`ingest FOLDER`)",
    "embed": "embed {images:,} images (`embed`)",
    "add_attribute": "define an attribute (`attribute add NAME`)",
    "draw_validation": "draw a validation sample for {name} (in the app: Rounds)",
    "label_validation": "label the validation sample of {name} (in the app: Annotate)",
    "start_round": "start the next round of {name} (in the app: Rounds)",
    "label_round": "label round {round} of {name} (in the app: Annotate)",
    "train": "train {name} on round {round} (`score {name}`)",
    "decide": "choose a threshold for {name} (`threshold {name}`)",
    "audit": "audit {name} (`audit {name} --draw`)",
    "done": "export the dataset (`export FILE`)",
}


def next_words(step: NextStep) -> str:
    """Return a step as a command, or as the page on which it is done."""
    return _NEXT[step.step].format(name=step.attribute, round=step.round, images=step.images)


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
