"""Guidance is about the attribute as it is called."""

from bam_engine.annotation import Attribute
from bam_engine.guidance.guidance import guidance_of
from bam_engine.workspace import Workspace


def test_guidance_follows_a_new_name(workspace: Workspace, watercolor: Attribute) -> None:
    assert guidance_of(workspace, watercolor).attribute == watercolor.name
    renamed = workspace.attributes.rename(watercolor.id, "aquarelle")
    assert guidance_of(workspace, renamed).attribute == "aquarelle"
    assert "“aquarelle”" in guidance_of(workspace, renamed).title
