"""The guide: its sections in order, and pictures that are there."""

from web.guide import DOCS, Picture, Section, sections


def test_sections_keep_texts_and_pictures_in_order():
    found = sections("# Title\n\nLead.\n\n## One\n\nA\n\n### Deeper\n\n![c](guide/x.webp)\n\nB\n\n## Two\n\nC\n")
    assert found == (
        Section("Title", ("Lead.",)),
        Section("One", ("A\n\n### Deeper", Picture(DOCS / "guide" / "x.webp", "c"), "B")),
        Section("Two", ("C",)),
    )


def test_every_picture_of_the_guide_is_in_the_repository():
    pictures = [part for section in sections() for part in section.parts if isinstance(part, Picture)]
    assert len(pictures) == 7
    assert all(picture.path.exists() and picture.caption for picture in pictures)
