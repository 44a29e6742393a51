"""Templates for the twenty attributes of the Behance Artistic Media dataset.

Names and kinds are those of Wilber et al., "BAM! The Behance Artistic Media Dataset for Recognition Beyond Photography"
(ICCV 2017); the questions and instructions are our own. The instructions of each attribute say what counts as yes, what
as no, and how to answer borderline cases.
"""

from dataclasses import dataclass

from bam_engine.errors import AnnotationError


@dataclass(frozen=True)
class Template:
    """A predefined attribute; pass its fields to :meth:`Attributes.add`."""

    name: str
    kind: str
    question: str
    instructions: str


def _template(name: str, question: str, *, yes: str, no: str, between: str) -> Template:
    instructions = f"Yes: {yes}\nNo: {no}\nIn doubt: {between}"
    return Template(name, name.partition("_")[0], question, instructions)


BAM_ATTRIBUTES: tuple[Template, ...] = (
    _template(
        "content_bicycle",
        "Is there a bicycle in the picture?",
        yes="A bicycle in any medium: photographed, drawn, modelled, as a sign or an icon. A tricycle, a tandem, or a "
        "part of a bicycle that is clearly recognisable (a frame with pedals, a wheel with a fork).",
        no="Motorcycles, mopeds and scooters; unicycles; a lone wheel; the word “bicycle” without a picture of one.",
        between="A bicycle counts however small it is, if you would point at it without being asked. If you need the "
        "large picture to guess at it, mark it unsure.",
    ),
    _template(
        "content_bird",
        "Is there a bird in the picture?",
        yes="Any bird in any medium: real, drawn, stylised, a toy, a logo; alone or in a flock; chickens, penguins, "
        "ducks and mythical birds (a phoenix) too; a head alone is enough.",
        no="Feathers, wings, nests or eggs without a bird; bats, insects, winged people and dragons; aeroplanes.",
        between="Far-off strokes in the sky count if they are clearly meant as birds. If a shape could as well be "
        "something else, mark it unsure.",
    ),
    _template(
        "content_building",
        "Is there a building in the picture?",
        yes="A house, tower, church, factory, hut, skyline or ruin seen from outside, in any medium, as the subject or "
        "in the background.",
        no="Rooms seen from inside; bridges, fences, monuments and statues on their own; tents, vehicles and floor "
        "plans.",
        between="A piece of a building counts if it shows more than bare wall: a roof, a front with windows, a porch. "
        "A texture of bricks does not count.",
    ),
    _template(
        "content_cars",
        "Is there a car in the picture?",
        yes="At least one car in any medium: passenger cars, taxis, sports and racing cars, vans, pick-ups; toys, "
        "drawings and icons of cars too.",
        no="Lorries, buses, trams, trains, motorcycles, tractors and carriages without any car; a lone wheel, "
        "dashboard or engine.",
        between="Parked cars at the edge of a street count if they are recognisable as cars. A seat or steering wheel "
        "from inside counts only if it clearly belongs to a car.",
    ),
    _template(
        "content_cat",
        "Is there a cat in the picture?",
        yes="A house cat or kitten in any medium: photographed, drawn, a cartoon figure, a toy, an emblem; a head "
        "alone is enough.",
        no="Lions, tigers, leopards and other big cats; foxes and other animals that only look like cats; a paw print; "
        "a person with painted whiskers.",
        between="A stylised animal counts if most people would call it a cat. If it could as well be a fox, a bear or "
        "a rabbit, mark it unsure.",
    ),
    _template(
        "content_dog",
        "Is there a dog in the picture?",
        yes="A dog or puppy of any breed in any medium: photographed, drawn, a cartoon figure, a toy, an emblem; a "
        "head alone is enough.",
        no="Wolves, foxes, hyenas and other wild relatives; a bone, a lead or a paw print without a dog; food named "
        "after it.",
        between="A stylised animal counts if most people would call it a dog. If it could as well be a wolf or a bear, "
        "mark it unsure.",
    ),
    _template(
        "content_flower",
        "Is there a flower in the picture?",
        yes="Blossoms in any medium: growing, cut, in a bouquet, drawn, as an icon, as the pattern of a cloth or a "
        "wallpaper, or flowering trees whose blossoms show.",
        no="Leaves, grass, trees, fruit, vegetables and mushrooms without blossoms; stars and rosettes that only "
        "resemble a flower.",
        between="An ornament counts if petals around a centre are visible. A small flower in the background "
        "counts if it is clearly a flower; otherwise mark it unsure.",
    ),
    _template(
        "content_people",
        "Is there a person in the picture?",
        yes="At least one human being in any medium: photographed, painted, drawn, as a figure, a portrait or a crowd; "
        "clearly visible parts of a body too (a face, a hand that holds something).",
        no="Animals and monsters without human shape; robots; clothes, shoes or shadows alone; smileys and faces of "
        "things.",
        between="Statues, dolls, cartoon figures and superheroes count if they have a human body or face. A stick "
        "figure or a sign (a pictogram) counts; mere initials or a name do not.",
    ),
    _template(
        "content_tree",
        "Is there a tree in the picture?",
        yes="A tree or a palm in any medium: alone, in a wood, in a street, bare or in leaf, drawn or as an icon; as "
        "the subject or in the background.",
        no="Bushes, hedges, house plants, grass, cut branches, timber, single leaves; diagrams that are only called "
        "trees.",
        between="A wood on the horizon counts if it is clearly made of trees. A trunk alone counts if it stands; a log "
        "does not.",
    ),
    _template(
        "emotion_gloomy",
        "Does the picture feel gloomy?",
        yes="It feels sad, dreary, lonely, melancholic or without hope: grey weather, deserted places, bowed figures, "
        "faded or heavy colours that weigh on you.",
        no="Pictures that are dark but thrilling, elegant or cosy; that frighten rather than sadden; that are only "
        "black and white; a sad thing drawn as a joke.",
        between="Judge what the picture makes you feel, not what it shows. If you feel nothing in particular, the "
        "answer is no; if two feelings pull against each other, mark it unsure.",
    ),
    _template(
        "emotion_happy",
        "Does the picture feel happy?",
        yes="It feels cheerful, playful, festive or full of life: people or creatures who smile and play, bright "
        "colours, a light-hearted scene.",
        no="Pictures that are only pretty, colourful or calm; forced smiles of products and portraits; happiness that "
        "is meant as mockery.",
        between="Judge what the picture makes you feel, not what it shows. If you feel nothing in particular, the "
        "answer is no; if it is as calm as it is cheerful, mark it unsure.",
    ),
    _template(
        "emotion_peaceful",
        "Does the picture feel peaceful?",
        yes="It feels calm, still, gentle or restful: quiet landscapes, soft light, sleeping creatures, wide and "
        "orderly spaces where you would like to stay.",
        no="Pictures that are only empty or plain (a product on white); that are lonely or sad; that are lively, loud "
        "or tense.",
        between="Judge what the picture makes you feel, not what it shows. If you feel nothing in particular, the "
        "answer is no; if it is calm but sad, mark it unsure.",
    ),
    _template(
        "emotion_scary",
        "Does the picture feel scary?",
        yes="It makes you uneasy, or is made to: monsters, skulls and blood shown in earnest, threats, horror, faces "
        "that frighten, places you would not enter.",
        no="Cute ghosts, friendly monsters and jokes; pictures that are only dark, ugly or sad; weapons shown as "
        "products.",
        between="Judge what the picture makes you feel, not what it shows. A frightening subject in a harmless style "
        "is no; if it unsettles you a little, mark it unsure.",
    ),
    _template(
        "media_3d_graphics",
        "Is the picture made with 3D computer graphics?",
        yes="Rendered from a computer model: scenes and figures of games and animated films, product and "
        "architectural renderings, 3D lettering and icons with true light and shadow.",
        no="Photographs, also retouched ones; photographed models and sculptures; flat drawings with a gradient or a "
        "drop shadow; paintings that look deep.",
        between="The whole picture or most of it must be rendered. A rendering set into a photograph counts if it is "
        "the subject. If it is too real to tell, mark it unsure.",
    ),
    _template(
        "media_comic",
        "Is the picture a comic?",
        yes="Drawn in the manner of comics, manga or cartoons: inked outlines with flat or hatched shading, "
        "expressive figures; panels, speech balloons and sound words if there are any.",
        no="Realistic drawings and paintings; logos, icons and emblems without a comic manner; stills of 3D films; "
        "photographs of people dressed up.",
        between="A single figure without panels counts if it could step out of a comic. Vector drawings count if they "
        "have the manner of a comic; if in doubt, mark it unsure.",
    ),
    _template(
        "media_graphite",
        "Is the picture drawn in pencil (graphite)?",
        yes="Drawn by hand with a pencil, graphite stick or charcoal: grey strokes, rubbed shading, the grain of the "
        "paper; sketches as well as finished drawings.",
        no="Ink, ball pen and felt-tip; coloured pencils and pastels as the main medium; engravings; black-and-white "
        "photographs and prints.",
        between="A touch of colour on a pencil drawing counts. Digital drawings count only if they are "
        "indistinguishable from pencil; if in doubt, mark it unsure.",
    ),
    _template(
        "media_oilpaint",
        "Is the picture an oil painting?",
        yes="Painted in oil, or in acrylic that looks the same: opaque, mixed colours, visible brush or knife marks, "
        "paint that stands up from the canvas; old masters with smooth layers too.",
        no="Watercolour, gouache and ink with their transparent or mat washes; pastels; photographs; prints without "
        "the look of paint.",
        between="A photograph of a painting counts if the painting is what it shows. A digital painting "
        "counts only if it looks like oil; if in doubt, mark it unsure.",
    ),
    _template(
        "media_pen_ink",
        "Is the picture drawn with pen and ink?",
        yes="Drawn by hand with ink lines: nib, fineliner, ball pen, felt-tip or brush pen; shading by hatching, dots "
        "or black areas; calligraphy that is drawn as a picture.",
        no="Pencil and charcoal with their grey; clean vector shapes; printed type; pictures whose colour carries more "
        "than their lines.",
        between="A light wash or a few colours over an ink drawing count. Engravings and etchings look alike: mark "
        "them unsure. Digital drawings count if they look like ink.",
    ),
    _template(
        "media_vectorart",
        "Is the picture vector art?",
        yes="Built digitally from clean shapes: sharp edges, flat colours or smooth gradients, no grain and no "
        "brush marks; logos, icons, flat illustrations, infographics.",
        no="Photographs and 3D renderings; painted or drawn pictures with texture; comics drawn by hand; screenshots; "
        "text alone in an ordinary typeface.",
        between="Lettering counts if it is drawn as shapes. A vector drawing on a photograph counts if the drawing is "
        "the subject. If texture and flat shapes are mixed, mark it unsure.",
    ),
    _template(
        "media_watercolor",
        "Is the picture a watercolour?",
        yes="Painted with transparent, watery colour: washes that run into each other, darker rims where they dried, "
        "paper that shines through or stays white; ink lines may be under it.",
        no="Opaque oil, acrylic and gouache; coloured pencils and pastels; flat digital colour; photographs.",
        between="A photograph or scan of a watercolour counts, and so does a digital painting that is "
        "indistinguishable from one. If watercolour is only a small part of it, mark it unsure.",
    ),
)


def template(name: str) -> Template:
    """Return the template of BAM's attribute ``name``.

    Raises
    ------
    AnnotationError
        BAM has no such attribute; the message lists those it has.
    """
    for known in BAM_ATTRIBUTES:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in BAM_ATTRIBUTES)
    raise AnnotationError(f"'{name}' is not one of BAM's attributes ({names}), so it needs a question of its own.")
