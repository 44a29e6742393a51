"""The annotators of a collection, and whose answers count."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bam_engine.annotation.mixing import Schedule
from bam_engine.labelling import gold, pausing
from bam_engine.labelling.agreement import answers_by_annotator
from bam_engine.labelling.pausing import PauseRule
from bam_engine.labelling.tasks import attribute_of
from bam_engine.labelling.with_others import compared_with_others
from bam_engine.training import setting_aside
from bam_engine.training.setting_aside import Effect
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


class Annotators:
    """What a :class:`~bam_engine.Collection` does with the people who answer."""

    workspace: Workspace

    def annotators(self) -> pd.DataFrame:
        """Return the annotators by name, with how many ``answers`` they ever gave and how many are ``set_aside``.

        Examples
        --------
        >>> bam.attribute("media_watercolor").record({0: "yes"}, annotator="cleo").new
        1
        >>> bam.annotators().loc["cleo", ["answers", "set_aside"]].tolist()
        [1, 0]
        """
        return _annotators(self.workspace)

    def compare_annotators(self) -> pd.DataFrame:
        """Return how each person's answers compare with those of others about the same images, by name and attribute.

        Returns
        -------
        DataFrame
            How many ``images`` are compared; on what share of them the person says what most others say
            (``agreement``), the same where these say yes (``agreement_on_yes``) and no (``agreement_on_no``), and to
            what share they say ``yes`` and most others do (``others_yes``). Each has its 95% interval in ``_low`` and
            ``_high``; nan where there is no such image. The person's own vote is never among the others.

        Examples
        --------
        >>> bam.compare_annotators().index.names
        FrozenList(['name', 'attribute'])
        """
        return _compared(self.workspace)

    def gold(self) -> pd.DataFrame:
        """Return on what share of gold each person was right, by name and attribute.

        Returns
        -------
        DataFrame
            How many ``images`` are judged, on what share of them the person was ``right``, and the same for those that
            are yes (``right_on_yes``) and no (``right_on_no``). Each has its exact 95% interval (Clopper and Pearson)
            in ``_low`` and ``_high``; nan where there is no such image.

        Examples
        --------
        >>> bam.gold().index.names
        FrozenList(['name', 'attribute'])
        """
        return _gold(self.workspace)

    def mix_gold(self, first: float = 0.5, following: float = 0.2, later: float = 0.05) -> None:
        """Mix images whose answer is known into assignments, unmarked, to learn how well each person answers.

        An answer is known where three people, or a reviewer or an owner, gave it. Answers to gold are no votes. Where
        it is known of fewer than 20 images of an attribute, none are mixed in.

        Parameters
        ----------
        first, following, later
            Expected shares of gold among the first 10 images of a person about an attribute, the next 40, and all later
            ones: from 0 to 0.9.

        Examples
        --------
        >>> bam.mix_gold()
        >>> bam.mix_no_gold()
        """
        gold.set_schedule(self.workspace, Schedule(first, following, later))

    def mix_no_gold(self) -> None:
        """Mix in no gold any more; what is in hand stays as it is."""
        gold.set_schedule(self.workspace, None)

    def pause_by_gold(self, after: int = 20, below: float = 0.7) -> pd.DataFrame:
        """Pause whoever is surely right on too little gold, each when they next ask for images.

        Whoever answers each image right with at least the probability ``below`` is ever paused with a probability of at
        most 5%, however many answers they give. "Unsure" is not right.

        Parameters
        ----------
        after
            After at least so many answers to gold, of all attributes together.
        below
            Whoever is right on less than this share, with 95% confidence.

        Returns
        -------
        DataFrame
            Who falls below it now, by name: how many ``images`` are judged, the share that is ``right``, and what it is
            ``at_most``.

        Examples
        --------
        >>> bam.pause_by_gold(after=20, below=0.7).index.tolist()
        []
        >>> bam.pause_by_no_rule()
        """
        pausing.set_rule(self.workspace, PauseRule(after, below))
        names = self.workspace.annotators.names()
        found = pausing.falling_below(self.workspace, pausing.rule(self.workspace))
        lines = [(names[who], one.right.n, one.right.value, one.at_most) for who, one in found.items()]
        return pd.DataFrame(lines, columns=["name", "images", "right", "at_most"]).set_index("name")

    def pause_by_no_rule(self) -> None:
        """Pause nobody by a rule any more; who is paused stays so."""
        pausing.set_rule(self.workspace, None)

    def paused(self) -> pd.DataFrame:
        """Return who is paused, by name: ``by_rule`` or by an owner, for which ``reason``, and ``since`` when (UTC).

        Examples
        --------
        >>> bam.pause("ada", reason="Let us talk about sketches.")
        >>> bam.paused().loc["ada", "reason"]
        'Let us talk about sketches.'
        >>> bam.resume("ada")
        >>> len(bam.paused())
        0
        """
        names = self.workspace.annotators.names()
        lines = [(names[who], one.by_rule, one.reason, one.made_at) for who, one in self.workspace.pauses.now().items()]
        return pd.DataFrame(lines, columns=["name", "by_rule", "reason", "since"]).set_index("name")

    def pause(self, annotator: str, *, reason: str = "") -> None:
        """Give a person no images for now, and back to others what they hold; their answers count as before.

        Parameters
        ----------
        reason
            What they are told.
        """
        pausing.pause(self.workspace, self.workspace.annotators.get(annotator), reason)

    def resume(self, annotator: str) -> None:
        """Let a person go on; the rule then looks at the gold that they answer from now on."""
        pausing.resume(self.workspace, self.workspace.annotators.get(annotator))

    def set_aside(
        self, annotator: str, *, attribute: str | None = None, preview: bool = False, by: str | None = None
    ) -> pd.DataFrame:
        """Set aside what a person has answered so far, about one attribute or about all; return what that changes.

        Nothing is deleted: labels, training, agreement and guarantees leave these answers out until they are brought
        back. What the person answers later counts. Models keep what they have learned until the next training.

        Parameters
        ----------
        preview
            Only return what it would change.
        by
            The name of the person who does it.

        Returns
        -------
        DataFrame
            By attribute: the number of ``answers`` that count no more, how many images are ``labelled`` now, and how
            many of them would be ``lost``, ``gained`` or ``changed``; whether the threshold is ``guaranteed`` now, and
            whether it would be (``then_guaranteed``).

        Raises
        ------
        NotFound
            There is no such annotator or attribute.

        Examples
        --------
        >>> changes = bam.set_aside("ada", attribute="media_watercolor", preview=True)
        >>> bool((changes["lost"] == changes["labelled"]).all())
        True
        """
        who = self.workspace.annotators.get(annotator)
        about = None if attribute is None else attribute_of(self.workspace, attribute)
        found = setting_aside.effects(self.workspace, who, about)
        if not preview:
            setting_aside.set_aside(self.workspace, who, about, by=by)
        return _table(found)

    def bring_back(self, annotator: str, *, attribute: str | None = None, preview: bool = False) -> pd.DataFrame:
        """Let answers that were set aside count again; return what that changes, as :meth:`set_aside`.

        Examples
        --------
        >>> lost = bam.set_aside("ada", attribute="media_watercolor")["lost"]
        >>> gained = bam.bring_back("ada")["gained"]
        >>> lost.equals(gained.rename("lost"))
        True
        """
        who = self.workspace.annotators.get(annotator)
        about = None if attribute is None else attribute_of(self.workspace, attribute)
        found = setting_aside.effects(self.workspace, who, about, counted=True)
        if not preview:
            setting_aside.bring_back(self.workspace, who, about)
        return _table(found)


@one_flow
def _annotators(workspace: Workspace) -> pd.DataFrame:
    answers, aside = answers_by_annotator(workspace), setting_aside.set_aside_by_annotator(workspace)
    lines = [
        (one.name, one.simulated, one.archived, answers.get(one.id, 0), aside.get(one.id, 0))
        for one in workspace.annotators.all()
    ]
    return pd.DataFrame(lines, columns=["name", "simulated", "archived", "answers", "set_aside"]).set_index("name")


@one_flow
def _compared(workspace: Workspace) -> pd.DataFrame:
    shares = ("agreement", "agreement_on_yes", "agreement_on_no", "yes", "others_yes")
    return _measured(workspace, compared_with_others(workspace), shares)


@one_flow
def _gold(workspace: Workspace) -> pd.DataFrame:
    return _measured(workspace, gold.accuracies(workspace), ("right", "right_on_yes", "right_on_no"))


def _measured(workspace: Workspace, by_person: Mapping[int, Sequence[Any]], shares: Sequence[str]) -> pd.DataFrame:
    """Return measures of people by attribute, each with its interval; the first one has the number of images."""
    names, lines = workspace.annotators.names(), []
    columns = [f"{share}{end}" for share in shares for end in ("", "_low", "_high")]
    for who, found in by_person.items():
        for one in found:
            measures = [getattr(one, share) for share in shares]
            limits = [number for each in measures for number in (each.value, each.low, each.high)]
            lines.append((names[who], one.attribute, measures[0].n, *limits))
    table = pd.DataFrame(lines, columns=["name", "attribute", "images", *columns])
    return table.astype(dict.fromkeys(columns, float)).set_index(["name", "attribute"])


def _table(effects: list[Effect]) -> pd.DataFrame:
    columns = ["answers", "labelled", "lost", "gained", "changed", "guaranteed", "then_guaranteed"]
    lines = [(one.attribute.name, *(getattr(one, name) for name in columns)) for one in effects]
    return pd.DataFrame(lines, columns=["attribute", *columns]).set_index("attribute")
