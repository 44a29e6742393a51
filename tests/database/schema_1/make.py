"""Makes ``workspace.sql.gz``, with the program of schema 1: see README.md in this folder."""

import gzip
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from bam_engine.workspace.gallery_query import Query

from bam_engine import database as db
from bam_engine.annotation import NewAnswer
from bam_engine.workspace import (
    Workspace,
    adjudication,
    audits,
    bulk,
    calibration,
    certification,
    demo,
    rounds,
    saved_views,
    simulated,
    tasks,
    thresholds,
    validation,
)


def main(folder: Path, target: Path) -> None:
    """Fill every table of a workspace in ``folder``, and dump its database into ``target``."""
    workspace = Workspace(folder / "workspace", folder / "cache")
    demo.make_demo(workspace, count=120, seed=3, attributes=["media_watercolor", "media_vectorart"])
    workspace.choose_encoder("builtin")
    watercolor, vectorart = workspace.attributes.all()
    play_alone(workspace, watercolor)
    play_in_a_team(workspace, vectorart)
    add_the_rest(workspace, watercolor)
    workspace.close()
    with closing(sqlite3.connect(folder / "workspace" / "bam.sqlite")) as database:
        target.write_bytes(gzip.compress("\n".join(database.iterdump()).encode(), mtime=0))


def play_alone(workspace, attribute) -> None:
    """One annotator: a draw and its top-up, three rounds, calibrations, and three thresholds of two kinds."""
    team = simulated.choose_team(workspace, error_rate=0.02, people=1, seed=5)
    validation.draw_validation(workspace, attribute, 30, seed=1)
    simulated.answer(workspace, tasks.validation_task(workspace, attribute), team)
    for number in range(3):
        turn = rounds.start_round(workspace, attribute, count=8, seed=number)
        simulated.answer(workspace, turn.task, team)
        rounds.train(workspace, attribute)
        calibration.calibration_of(workspace, attribute)
    validation.draw_validation(workspace, attribute, 6, seed=2)
    simulated.answer(workspace, tasks.validation_task(workspace, attribute), team)
    calibration.calibration_of(workspace, attribute)
    thresholds.keep(workspace, attribute, thresholds.suggest(workspace, attribute, target=0.8))
    thresholds.keep(workspace, attribute, thresholds.suggest_recall(workspace, attribute, recall=0.5, target=0.7))
    thresholds.keep(workspace, attribute, thresholds.measure_at(workspace, attribute, 50.0, target=0.9))
    thresholds.keep(workspace, attribute, thresholds.measure_at(workspace, attribute, -0.25, target=0.9))
    audits.draw(workspace, attribute, n_accepted=4, n_rejected=4, people=1, seed=4)
    simulated.answer(workspace, audits.open_audit_task(workspace, attribute), team)


def play_in_a_team(workspace, attribute) -> None:
    """Two annotators who often disagree: an unmeasurable model, a certification with its cuts, an audit by three."""
    team = simulated.choose_team(workspace, error_rate=0.2, people=2, seed=6)
    turn = rounds.start_round(workspace, attribute, count=12, seed=7)
    simulated.answer(workspace, turn.task, team)
    rounds.train(workspace, attribute)
    validation.draw_validation(workspace, attribute, 16, seed=8)
    simulated.answer(workspace, tasks.validation_task(workspace, attribute), team)
    certification.start(workspace, attribute, target=0.6, planned=40, seed=9)
    simulated.certify(workspace, attribute, team)
    thresholds.keep(workspace, attribute, thresholds.measure_at(workspace, attribute, -1.0, target=0.6))
    audits.draw(workspace, attribute, n_accepted=3, n_rejected=3, people=3, seed=10)
    audits.draw(workspace, attribute, n_accepted=1, n_rejected=1, seed=11)
    adjudicator = "Ada"
    for dispute in adjudication.disputes(workspace, attribute, adjudicator)[:2]:
        decide(workspace, attribute, dispute.row, adjudicator)


def decide(workspace, attribute, row: int, adjudicator: str) -> None:
    """Decide a disputed image."""
    who = workspace.annotations.annotator(adjudicator)
    handed = workspace.annotations.assign(attribute.id, who, [row], purpose="adjudication", source_id=0)
    workspace.annotations.record(handed.id, [NewAnswer(f"decision-{row}", row, 1, 2.5)])


def add_the_rest(workspace, attribute) -> None:
    """Bulk and imported answers, an unsure and a withdrawn one, captions, problems, saved views, changed titles."""
    free = [row for row in range(120) if row not in set(workspace.annotations.answers(attribute.id).rows.tolist())]
    bulk.answer(workspace, attribute, free[:5], 0, annotator="Ada")
    who = workspace.annotations.annotator("a table")
    handed = workspace.annotations.assign(attribute.id, who, free[5:8], purpose="import", source_id=0)
    answers = (1, 0, -1)
    given = [NewAnswer(f"import-{row}", row, said) for row, said in zip(free[5:8], answers, strict=True)]
    workspace.annotations.record(handed.id, given)
    uri = workspace.catalogue.image(0).uri
    workspace.catalogue.describe({uri: {"title": "Ein Wasserfall, „früh“", "license": "CC0"}})
    workspace.catalogue.note_problem("ingest", "/srv/bam/broken.jpg", "The file is empty.")
    workspace.catalogue.note_problem("embed:builtin", uri, "It cannot be decoded.")
    saved_views.save(workspace, "Watercolours", Query(yes=("media_watercolor",), sort="newest"))
    saved_views.save(workspace, "Grüne Katzen", Query(words="cat", colour=("green",), like=(1, 2), folded=True))
    with workspace.engine.begin() as connection:
        made = {"annotator_id": who, "made_at": db.now()}
        lines = [{"row": row, "caption": f"A caption of {row}; it's quoted.", **made} for row in (0, 0, 7)]
        connection.execute(sa.insert(db.captions), lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
