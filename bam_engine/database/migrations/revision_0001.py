"""Revision 1: the first schema that was released, as the program created it.

Programs of this schema created the tables that a workspace lacked whenever they opened it. A workspace of this version
may therefore lack the youngest of them, and this revision creates those.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

metadata = sa.MetaData()


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _attribute_id() -> sa.Column[int]:
    return sa.Column("attribute_id", sa.ForeignKey("attributes.id"), nullable=False, index=True)


def _made_at() -> sa.Column[str]:
    return sa.Column("made_at", sa.Text, nullable=False)


sa.Table(
    "settings",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
sa.Table(
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
    sa.Column("status", sa.Text, nullable=False),
    _made_at(),
)
sa.Table(
    "problems",
    metadata,
    _id(),
    sa.Column("stage", sa.Text, nullable=False),  # what failed: "ingest" or "embed:KEY"
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    _made_at(),
    sa.UniqueConstraint("stage", "uri"),
)
sa.Table(
    "attributes",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("instructions", sa.Text, nullable=False),
    _made_at(),
)
sa.Table(
    "annotators",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("simulated", sa.Boolean, nullable=False),
    _made_at(),
)
sa.Table(
    "assignments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # a random UUID, which authorises a browser to answer
    _attribute_id(),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),  # "validation", "round", "audit", … or "import"
    sa.Column("source_id", sa.Integer, nullable=False),  # the draw, round or audit that the images come from
    _made_at(),
)
sa.Table(
    "assignment_images",
    metadata,
    sa.Column("assignment_id", sa.ForeignKey("assignments.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
)
sa.Table(
    "annotations",
    metadata,
    _id(),
    sa.Column("uid", sa.Text, nullable=False, unique=True),  # set by the browser, so that a retry is stored once
    sa.Column("assignment_id", sa.ForeignKey("assignments.id"), nullable=False, index=True),
    sa.Column("attribute_id", sa.ForeignKey("attributes.id"), nullable=False),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),  # "positive", "negative", "unsure", "withdrawn"
    sa.Column("seconds", sa.Float),
    _made_at(),
    sa.Index("annotations_by_image", "attribute_id", "row", "annotator_id", "id"),
)
sa.Table(
    "captions",
    metadata,
    _id(),
    sa.Column("row", sa.Integer, nullable=False, index=True),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False),
    sa.Column("caption", sa.Text, nullable=False),
    _made_at(),
)
sa.Table(
    "validation_images",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("probability", sa.Float, nullable=False),  # inclusion probability
    sa.Column("draw", sa.Integer, nullable=False),  # 0 for the first, 1 for the first top-up, …
    _made_at(),
    sa.UniqueConstraint("attribute_id", "row"),
)
sa.Table(
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
sa.Table(
    "round_images",
    metadata,
    sa.Column("round_id", sa.ForeignKey("rounds.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("score", sa.Float),
)
sa.Table(
    "models",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("round_id", sa.ForeignKey("rounds.id"), nullable=False),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("coefficients", sa.LargeBinary, nullable=False),  # float32 (d + 1,), the intercept last
    sa.Column("details", sa.Text, nullable=False),  # JSON: labels used, C ("strength"), seed, measurements
    _made_at(),
)
sa.Table(
    "thresholds",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # JSON: target, confidence, evidence
    _made_at(),
)
sa.Table(
    "certifications",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("target", sa.Float, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("planned", sa.Integer, nullable=False),  # the label budget
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("known", sa.LargeBinary, nullable=False),  # int64 rows that were labelled or queried before: excluded
    sa.Column("cuts", sa.Text),  # JSON, strictest first; null until the pilot is labelled
    _made_at(),
)
sa.Table(
    "certification_images",
    metadata,
    sa.Column("certification_id", sa.ForeignKey("certifications.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("batch", sa.Integer, nullable=False),  # 0 for the pilot
)
sa.Table(
    "audits",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("threshold_id", sa.ForeignKey("thresholds.id"), nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("n_accepted", sa.Integer, nullable=False),  # in the whole collection, at the threshold
    sa.Column("n_rejected", sa.Integer, nullable=False),
    _made_at(),
)
sa.Table(
    "audit_images",
    metadata,
    sa.Column("audit_id", sa.ForeignKey("audits.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
)

sa.Table(
    "saved_views",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("query", sa.Text, nullable=False),  # JSON: the gallery's query
    _made_at(),
)


def upgrade() -> None:
    """Create the tables that are missing."""
    metadata.create_all(op.get_bind(), checkfirst=True)
