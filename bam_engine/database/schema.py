"""The tables of the workspace's database, as the newest schema has them.

Only definitions: each package reads and writes its own tables. A change here needs a new ``SCHEMA_VERSION`` and a
migration to it.
"""

from typing import Any

import sqlalchemy as sa

SCHEMA_VERSION = 18
"""The schema that this program reads and writes; the newest of ``migrations/``."""

metadata = sa.MetaData()


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _attribute_id() -> sa.Column[int]:
    return sa.Column("attribute_id", sa.ForeignKey("attributes.id"), nullable=False, index=True)


def _made_at() -> sa.Column[str]:
    return sa.Column("made_at", sa.Text, nullable=False)


def _identity(*, nullable: bool) -> list[sa.Column[str]]:
    """Return the columns of a :class:`bam_engine.team.identities.Identity`."""
    return [sa.Column(name, sa.Text, nullable=nullable) for name in ("issuer", "subject", "label")]


def _evidence() -> list[sa.Column[Any]]:
    """Return the columns of a :class:`bam_engine.learning.Threshold`; null is nan, except in the optional ones."""
    measured = ("precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high")
    return [
        sa.Column("value", sa.Float, nullable=False),  # images that score at least this are accepted
        *(sa.Column(name, sa.Float) for name in measured),
        sa.Column("target", sa.Float, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("certified", sa.Boolean, nullable=False),
        sa.Column("bound", sa.Float),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("n_accepted_sample", sa.Integer, nullable=False),
        sa.Column("n_accepted", sa.Integer, nullable=False),
        sa.Column("covers", sa.Integer),  # optional
        sa.Column("known_positives", sa.Integer),  # optional
        sa.Column("recall_target", sa.Float),  # optional
        sa.Column("promise", sa.Text, nullable=False),
    ]


settings = sa.Table(
    "settings",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),  # JSON
)
revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, server_default="0"),
)
images = sa.Table(
    "images",
    metadata,
    _id(),
    sa.Column("row", sa.Integer, nullable=False, unique=True),
    sa.Column("uri", sa.Text, nullable=False, unique=True),
    sa.Column("title", sa.Text),
    sa.Column("project_id", sa.Text, index=True),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("mature_content", sa.Boolean),
    sa.Column("license", sa.Text),
    sa.Column("status", sa.Text, nullable=False, default="ok"),  # or "missing", "replaced": its file is not there
    sa.Column("stamp", sa.Text),  # of the file when its digest was computed; null: to be computed again
    sa.Column("url", sa.Text),  # where it was downloaded from; null: it was not
    _made_at(),
)
removals = sa.Table(
    "removals",
    metadata,
    _id(),
    sa.Column("reason", sa.Text, nullable=False),  # what was removed, in words
    sa.Column("annotator_id", sa.ForeignKey("annotators.id")),  # who removed it; null if nobody gave a name
    _made_at(),
)
removed_images = sa.Table(  # those that have not come back
    "removed_images",
    metadata,
    sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("removal_id", sa.ForeignKey("removals.id"), nullable=False, index=True),
)
returns = sa.Table(  # of images that came back
    "returns",
    metadata,
    _id(),
    sa.Column("removal_id", sa.ForeignKey("removals.id"), nullable=False, index=True),
    sa.Column("images", sa.Integer, nullable=False),  # how many of the removal
    sa.Column("annotator_id", sa.ForeignKey("annotators.id")),  # who brought them back; null if nobody gave a name
    _made_at(),
)
kept_duplicates = sa.Table(  # images that somebody has kept beside their duplicates
    "kept_duplicates",
    metadata,
    sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_row", sa.Integer, nullable=False),  # the lowest of those that were kept together
    sa.Column("annotator_id", sa.ForeignKey("annotators.id")),  # who kept them; null if nobody gave a name
    _made_at(),
)
problems = sa.Table(
    "problems",
    metadata,
    _id(),
    sa.Column("stage", sa.Text, nullable=False),  # what failed: "ingest" or "embed:KEY"
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    _made_at(),
    sa.UniqueConstraint("stage", "uri"),
)
attributes = sa.Table(
    "attributes",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("instructions", sa.Text, nullable=False, default=""),
    _made_at(),
    sa.Column("archived_at", sa.Text),  # null: in use
)
former_names = sa.Table(  # by which links, saved views and scripts still find an attribute
    "former_names",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("name", sa.Text, nullable=False),
    _made_at(),
)
guideline_examples = sa.Table(  # pictures that show what an attribute means
    "guideline_examples",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # "good", "bad", "corner"
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),  # among those of its kind
    _made_at(),
    sa.UniqueConstraint("attribute_id", "row"),
)
annotators = sa.Table(
    "annotators",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("simulated", sa.Boolean, nullable=False, default=False),
    _made_at(),
    sa.Column("archived_at", sa.Text),  # null: may answer
)
merged_annotators = sa.Table(
    "merged_annotators",
    metadata,
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), primary_key=True),
    sa.Column("into_id", sa.ForeignKey("annotators.id"), nullable=False),  # for whom their answers count
    _made_at(),
)
assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # a random UUID, which authorises a browser to answer
    _attribute_id(),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),  # "validation", "round", "audit", … or "import"
    sa.Column("source_id", sa.Integer, nullable=False),  # the draw, round or audit that the images come from
    _made_at(),
)
assignment_images = sa.Table(
    "assignment_images",
    metadata,
    sa.Column("assignment_id", sa.ForeignKey("assignments.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
)
gold_images = sa.Table(  # images of an assignment whose answer is known: what is answered tells of the annotator
    "gold_images",
    metadata,
    sa.Column("assignment_id", sa.ForeignKey("assignments.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("gold_id", sa.ForeignKey("assignments.id"), nullable=False),  # the assignment that has the answers to it
)
leases = sa.Table(  # which assignments are being worked on; a lease that has expired may be missing
    "leases",
    metadata,
    sa.Column("assignment_id", sa.ForeignKey("assignments.id"), primary_key=True),
    sa.Column("expires_at", sa.Text, nullable=False),
)
annotations = sa.Table(
    "annotations",
    metadata,
    _id(),
    sa.Column("uid", sa.Text, nullable=False, unique=True),  # set by the browser, so that a retry is stored once
    sa.Column("assignment_id", sa.ForeignKey("assignments.id"), nullable=False, index=True),
    sa.Column("attribute_id", sa.ForeignKey("attributes.id"), nullable=False),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),  # "positive", "negative", "unsure", "withdrawn", "skipped"
    sa.Column("seconds", sa.Float),
    _made_at(),
    sa.Index("annotations_by_image", "attribute_id", "row", "annotator_id", "id"),
    sa.Index("annotations_in_order", "attribute_id", "id"),
)
set_aside_answers = sa.Table(  # whose answers count for nothing, until they are brought back
    "set_aside_answers",
    metadata,
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), primary_key=True),
    sa.Column("attribute_id", sa.ForeignKey("attributes.id"), primary_key=True),
    sa.Column("through", sa.Integer, nullable=False),  # the newest annotation then; a later one counts
    sa.Column("set_aside_by", sa.ForeignKey("annotators.id")),  # null if nobody gave a name
    _made_at(),
)
remarks = sa.Table(  # what annotators tell the reviewer; the newest of a person about an image counts
    "remarks",
    metadata,
    _id(),
    sa.Column("uid", sa.Text, nullable=False, unique=True),  # set by the browser, so that a retry is stored once
    _attribute_id(),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # "flag", "comment", "unjudgeable", "none"
    sa.Column("text", sa.Text, nullable=False),
    _made_at(),
    sa.Column("closed_at", sa.Text),  # null: the reviewer has not dealt with it
    sa.Column("closed_by", sa.ForeignKey("annotators.id")),
)
captions = sa.Table(
    "captions",
    metadata,
    _id(),
    sa.Column("row", sa.Integer, nullable=False, index=True),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False),
    sa.Column("caption", sa.Text, nullable=False),
    _made_at(),
    sa.Column("hidden_at", sa.Text),  # null: shown, searched and exported
    sa.Column("hidden_by", sa.ForeignKey("annotators.id")),
)
image_tags = sa.Table(
    "image_tags",
    metadata,
    _id(),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("tag", sa.Text, nullable=False),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id")),  # who added it; null if nobody gave a name
    _made_at(),
    sa.UniqueConstraint("row", "tag"),
)
proposals = sa.Table(  # attributes that people want the next version to have
    "proposals",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),  # why it should be asked; may be empty
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False),
    _made_at(),
    sa.Column("withdrawn_at", sa.Text),  # null: whoever proposed it still wants it
)
proposal_images = sa.Table(  # in which the answer is yes
    "proposal_images",
    metadata,
    sa.Column("proposal_id", sa.ForeignKey("proposals.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
)
proposal_votes = sa.Table(  # beside that of whoever proposed it
    "proposal_votes",
    metadata,
    sa.Column("proposal_id", sa.ForeignKey("proposals.id"), primary_key=True),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), primary_key=True),
    _made_at(),
)
proposal_decisions = sa.Table(  # of owners; a proposal without one is open, unless it was withdrawn
    "proposal_decisions",
    metadata,
    sa.Column("proposal_id", sa.ForeignKey("proposals.id"), primary_key=True),
    sa.Column("outcome", sa.Text, nullable=False),  # "accepted", "merged", "declined"
    sa.Column("attribute_id", sa.ForeignKey("attributes.id")),  # what it became, or what it was merged into
    sa.Column("into_id", sa.ForeignKey("proposals.id")),  # the proposal it was merged into
    sa.Column("note", sa.Text, nullable=False),
    _made_at(),
)
validation_draws = sa.Table(
    "validation_draws",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("number", sa.Integer, nullable=False),  # 0 for the first, 1 for the first top-up, …
    sa.Column("seed", sa.Integer),  # null for draws of early versions, which did not store it
    sa.Column("left_out", sa.Integer),  # images without a readable file; null where nobody counted them
    _made_at(),
    sa.UniqueConstraint("attribute_id", "number"),
)
validation_images = sa.Table(
    "validation_images",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("probability", sa.Float, nullable=False),  # inclusion probability
    sa.Column("draw", sa.Integer, nullable=False),  # its number
    _made_at(),
    sa.UniqueConstraint("attribute_id", "row"),
)
rounds = sa.Table(
    "rounds",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("number", sa.Integer, nullable=False),  # from 1
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    _made_at(),
    sa.UniqueConstraint("attribute_id", "number"),
)
round_images = sa.Table(
    "round_images",
    metadata,
    sa.Column("round_id", sa.ForeignKey("rounds.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("score", sa.Float),
)
models = sa.Table(
    "models",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("round_id", sa.ForeignKey("rounds.id"), nullable=False),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("coefficients", sa.LargeBinary, nullable=False),  # float32 (d + 1,), the intercept last
    sa.Column("regularisation", sa.Float, nullable=False),  # C
    sa.Column("n_positive", sa.Integer, nullable=False),
    sa.Column("n_negative", sa.Integer, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("decision_threshold", sa.Float, nullable=False),
    sa.Column("labels", sa.Integer),  # on which it was trained; null, as the next three, where nobody recorded it
    sa.Column("imported", sa.Integer),  # how many of them were imported only
    sa.Column("in_bulk", sa.Integer),  # how many of them stem from bulk answers only
    sa.Column("learned_from", sa.Text),  # a digest of the data: the same data make one model
    _made_at(),
)
measurements = sa.Table(
    "measurements",
    metadata,
    _id(),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False, index=True),
    sa.Column("n", sa.Integer),  # held-out labels; null, as the next three, where nothing could be measured
    sa.Column("average_precision", sa.Float),
    sa.Column("average_precision_low", sa.Float),
    sa.Column("average_precision_high", sa.Float),
    sa.Column("problem", sa.Text, nullable=False),  # why nothing was measured, or why there is no threshold
    sa.Column("flipped", sa.Integer),  # images on the other side than by the model before; null for the first
    _made_at(),
)
measured_thresholds = sa.Table(
    "measured_thresholds",
    metadata,
    sa.Column("measurement_id", sa.ForeignKey("measurements.id"), primary_key=True),
    *_evidence(),
)
calibrations = sa.Table(
    "calibrations",
    metadata,
    sa.Column("model_id", sa.ForeignKey("models.id"), primary_key=True),
    sa.Column("labels_seen", sa.Text, nullable=False),  # JSON: the version of the evidence that it was fitted to
    sa.Column("fit", sa.Text),  # a document; null if there were too few labels
    sa.Column("problem", sa.Text, nullable=False),
    _made_at(),
)
thresholds = sa.Table(
    "thresholds",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    *_evidence(),
    sa.Column("images", sa.Integer),  # rows from here on came later than the sample; null where nobody counted them
    _made_at(),
)
certifications = sa.Table(
    "certifications",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("target", sa.Float, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("risk_share", sa.Float),  # how much of its risk the test may spend; null: all, as in early versions
    sa.Column("planned", sa.Integer, nullable=False),  # the label budget
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("known", sa.LargeBinary, nullable=False),  # int64 rows outside the population, the pilot among them
    sa.Column("images", sa.Integer),  # rows from here on came later and are outside too; null where nobody counted
    sa.Column("left_out", sa.Integer),  # unlabelled images without a readable file; null where nobody counted them
    sa.Column("counted", sa.LargeBinary),  # int64 rows, of known, whose positives the promise counts; null: none
    sa.Column("since", sa.Integer),  # of one that extends a promise: the first row that came later; null for others
    _made_at(),
)
certification_cuts = sa.Table(  # fixed once the pilot is labelled
    "certification_cuts",
    metadata,
    sa.Column("certification_id", sa.ForeignKey("certifications.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),  # 0 for the strictest
    sa.Column("value", sa.Float, nullable=False),
)
certification_images = sa.Table(
    "certification_images",
    metadata,
    sa.Column("certification_id", sa.ForeignKey("certifications.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("batch", sa.Integer, nullable=False),  # 0 for the pilot
    sa.Column("made_at", sa.Text),  # when it was asked about; null in earlier revisions: when the certification started
    sa.Column("teaches", sa.Boolean),  # a round had asked about it: it is not held out; null: no
)
audits = sa.Table(
    "audits",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("threshold_id", sa.ForeignKey("thresholds.id"), nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("n_accepted", sa.Integer, nullable=False),  # images that could be drawn
    sa.Column("n_rejected", sa.Integer, nullable=False),
    sa.Column("images", sa.Integer),  # rows from here on came later; null where nobody counted them
    sa.Column("left_out", sa.Integer),  # unlabelled images without a readable file; null where nobody counted them
    sa.Column("votes", sa.Integer),  # required per image; null: as many as the workspace requires
    _made_at(),
)
audit_images = sa.Table(
    "audit_images",
    metadata,
    sa.Column("audit_id", sa.ForeignKey("audits.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
)
recall_samples = sa.Table(  # each tells how many positives are missed below one threshold
    "recall_samples",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("value", sa.Float, nullable=False),  # the threshold: images that score less could be drawn
    sa.Column("boundary", sa.Float),  # images that score at least this are drawn as a part of their own; null: none
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("known", sa.LargeBinary, nullable=False),  # int64 rows below the threshold outside the population
    sa.Column("images", sa.Integer, nullable=False),  # rows from here on came later and are outside too
    sa.Column("left_out", sa.Integer, nullable=False),  # images without a readable file
    sa.Column("asked", sa.Integer, nullable=False),  # of its images, the first so many are asked about
    _made_at(),
)
recall_images = sa.Table(
    "recall_images",
    metadata,
    sa.Column("recall_sample_id", sa.ForeignKey("recall_samples.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("batch", sa.Integer, nullable=False),  # 0 for the first, 1 for the first growth, …
    _made_at(),
)

saved_views = sa.Table(
    "saved_views",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("query", sa.Text, nullable=False),  # JSON: the gallery's query
    sa.Column("version", sa.Integer, nullable=False),  # of the query's form
    _made_at(),
)

accounts = sa.Table(  # of people who sign in
    "accounts",
    metadata,
    _id(),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),  # "viewer", "annotator", "reviewer", "owner"
    sa.Column("password", sa.Text, nullable=False),  # Argon2's hash, with its salt and its parameters; "": none
    _made_at(),
)
identities = sa.Table(  # as whom a provider of OpenID Connect knows the person of an account
    "identities",
    metadata,
    _id(),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), index=True),  # null: it signs in no account any more
    *_identity(nullable=False),
    _made_at(),
    sa.UniqueConstraint("issuer", "subject"),
)
sessions = sa.Table(  # in which somebody is signed in
    "sessions",
    metadata,
    _id(),
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # SHA-256 of the token, which the browser alone has
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    _made_at(),
    sa.Column("expires_at", sa.Text, nullable=False),
)
invitations = sa.Table(
    "invitations",
    metadata,
    _id(),
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # SHA-256 of the token in the link
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("invited_by", sa.ForeignKey("annotators.id")),  # null: on the command line
    _made_at(),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("used_by", sa.ForeignKey("annotators.id")),  # null: nobody yet
    sa.Column("revoked_at", sa.Text),  # null: it is not
)
join_requests = sa.Table(
    "join_requests",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password", sa.Text, nullable=False),  # as in accounts
    sa.Column("note", sa.Text, nullable=False),  # to the owner
    _made_at(),
    *_identity(nullable=True),  # null: they chose a password
)
pauses = sa.Table(  # who is given no images for now, and since when those who were paused before go on
    "pauses",
    metadata,
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), primary_key=True),
    sa.Column("by_rule", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    _made_at(),
    sa.Column("resumed_after", sa.Integer),  # the newest annotation when they could go on; null while they are paused
)
activity = sa.Table(  # what people did that others should be able to look up
    "activity",
    metadata,
    _id(),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id")),  # null: on the command line
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    _made_at(),
)
