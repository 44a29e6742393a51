// What Python hands to each component, and what it gets back. The other side is the `__init__.py` beside each component
// and the routes in web/routes.

/** The argument of a component's default function, which Streamlit calls at every rerun of the script. */
export interface Component<Data> {
  data: Data;
  parentElement: ParentNode & Node;
  /** Sets a value that Python reads in every later run. */
  setStateValue(name: string, value: unknown): void;
  /** Sets a value that Python reads in the next run alone. */
  setTriggerValue(name: string, value: unknown): void;
}

/** 1 yes, 0 no, −1 unsure. */
export type Answer = 1 | 0 | -1;

/** What is said of a picture in the labelling grid: an answer, or −3, which skips it. */
export type Mark = Answer | -3;

// The annotator's name: web/identity.py

export interface IdentityData {
  /** The name under which this session answers. */
  name: string;
  /** Whether somebody chose it, in this session or before; otherwise it is the one everybody begins with. */
  named: boolean;
  /** Whether it was chosen in this session. */
  chosen: boolean;
}

// The labelling grid: web/components/label_grid/__init__.py

export interface LabelGridData {
  /** The id of the first assignment, by which the grid is known. */
  assignment: string;
  question: string;
  instructions: string;
  /** The pictures of the guidelines, in display order. */
  examples: GuidelineExample[];
  /** The pictures in hand, in display order. */
  images: LabelImage[];
  /** How many pictures of the task were answered before these. */
  before: number;
  /** How many pictures of the task come after these. */
  left: number;
  /** The version of the pictures: those of a version are immutable. */
  version: string;
  per_page: number;
  /** Whether answers are looked through again, from the last page on. */
  review: boolean;
  /** Whether pictures may be skipped. */
  skips: boolean;
}

export interface GuidelineExample {
  row: number;
  kind: "good" | "bad" | "corner";
  note: string;
}

export interface LabelImage {
  row: number;
  /** The id of its assignment. */
  assignment: string;
  /** The stored answer, if there is one, or that the picture was skipped. */
  answer: Mark | null;
  /** What the annotator tells the reviewer about it. */
  remark: Remark | null;
  title: string;
}

/** KINDS in bam_engine/annotation/remark_store.py, without the one that takes a remark back. */
export type RemarkKind = "flag" | "comment" | "unjudgeable";

export interface Remark {
  kind: RemarkKind;
  text: string;
}

/** A remark as web/routes/labels.py receives it. */
export interface SentRemark {
  uid: string;
  row: number;
  kind: RemarkKind | "none";
  text: string;
}

/** An answer as web/routes/labels.py receives it. */
export interface SentAnswer {
  uid: string;
  row: number;
  answer: Mark;
  /** How long the answer took; null where nobody knows. */
  seconds: number | null;
  /** The stored answer that the page shows; −2 without one. */
  seen: Mark | -2;
}

// The short gallery: web/components/gallery/__init__.py

export type GalleryPicture = [row: number, caption: string, title: string, mark: string];

export interface GalleryData {
  pictures: GalleryPicture[];
  /** The version of the pictures: those of a version are immutable. */
  version: string;
  /** Side of a cell in CSS pixels. */
  size: number;
  /** Height in CSS pixels; null grows with the pictures. */
  height: number | null;
  selected: number[];
  /** What the pictures can be answered about; null if nothing. */
  answering: ShortAnswering | null;
}

export interface ShortAnswering extends GalleryAnswering {
  /** The rows that are in the guidelines; null where no buttons are below the pictures. */
  examples: number[] | null;
  /** Whether a line names the keys. */
  namesKeys: boolean;
}

// The keys that answer about one image: web/components/keys/__init__.py

export interface AnswerKeysData {
  /** The key of the buttons: that of "yes" is `{key}-answer-yes`. */
  key: string;
}

// The button of a panel: web/components/fold/__init__.py

export interface FoldData {
  /** The name of the panel. */
  name: string;
  label: string;
  /** How many filters are set in it; 0 is not shown. */
  count: number;
}

// The endless gallery: web/components/gallery/__init__.py, web/routes/gallery.py

export interface EndlessData {
  listing: Listing;
  version: string;
  /** The text on the line between accepted and rejected images. */
  line_text: string;
  height: number | null;
  /** What single images can be answered about; null if nothing. */
  answering: GalleryAnswering | null;
}

export interface GalleryAnswering {
  /** The id of the attribute. */
  attribute: number;
  question: string;
  annotator: string;
}

/** As web/routes/direct_answers.py answers. */
export interface DirectReply {
  /** The label of the image by now. */
  mark?: string;
  /** The direct answer that was replaced. */
  own?: Answer | null;
  effect?: string;
  error?: string;
}

/** `summary` in web/routes/gallery.py and web/routes/bam_file.py. */
export interface Listing {
  id: string;
  /** The query as JSON. */
  q: string;
  total: number;
  /** Images above the threshold; null without one. */
  line: number | null;
  /** Images in a window. */
  block: number;
  /** Pictures in a pack; 0: each picture has an address of its own. */
  pack: number;
  /** Where its windows are asked for. */
  address: string;
  /** Where pictures are asked for that the collection does not have, by the number of an image; empty: nowhere. */
  remote?: string;
}

/**
 * `payload` of bam_engine/gallery/window.py and bam_engine/published/window.py: one value for each image of a window.
 */
export interface WindowReply {
  rows: number[];
  titles: string[];
  scores: (number | null)[];
  probabilities: ([number, number, number] | null)[];
  accepted: (boolean | null)[];
  marks: string[];
  counts: number[];
  /** The rows with their pictures, null where there is none; left out where each image has its own. */
  pictures?: (number | null)[];
  /** What is written below the pictures, in place of scores. */
  words?: string[];
}

// The histogram with a threshold to drag: web/components/threshold/__init__.py, web/routes/borderline.py

export interface ThresholdData {
  /** The id of the attribute. */
  attribute: number;
  /** What the pictures beside the threshold can be answered about; null if nothing. */
  answering: GalleryAnswering | null;
  /** The threshold that the page is about. */
  value: number;
  /** Precision and recall at `value` as people read them, each with its limits; null where nothing can be measured. */
  measured: { precision: [value: string, note: string]; recall: [value: string, note: string] } | null;
  /** Thresholds, ascending; the arrays have one value for each. */
  thresholds: number[];
  byClassifier: number[];
  noAbove: number[];
  yesBelow: number[];
  certified: boolean[];
  /** Accepted at every threshold. */
  byPeople: number;
  /** Images of the collection. */
  total: number;
  /** What is certified, such as 90%. */
  target: string;
  /** Thresholds with a name. */
  marks: { name: string; value: number }[];
  histogram: Histogram;
  /** The version of the pictures: those of a version are immutable. */
  version: string;
}

export interface Histogram {
  /** The title of the axis of scores. */
  title: string;
  limits: [low: number, high: number];
  /** The limits of the axis of images, which is logarithmic. */
  counts: [low: number, high: number];
  bars: Bars[];
}

/** The outlines of a series, one of each run of bars: the points at which it changes its height. */
export interface Bars {
  name: string;
  colour: string;
  runs: [score: number, count: number][][];
}

/** As web/routes/borderline.py answers, the closest first. */
export interface Borderline {
  above: GalleryPicture[];
  below: GalleryPicture[];
}

// The map: web/components/map/__init__.py, web/routes/tiles.py, web/routes/maps.py

/** Left, top, right, bottom. */
export type Bounds = [left: number, top: number, right: number, bottom: number];

export interface MapData {
  mapId: string;
  workspace: string;
  /** The label of the swatch whose images are selected. */
  swatch: string;
  version: string;
  colour: string;
  /** Which image of a cell is shown. */
  pictures: string;
  pictureFromZoom: number;
  maxZoom: number;
  /** Images on the map. */
  count: number;
  /** What the view of the whole map shows. */
  bounds: Bounds;
  legend: Legend | null;
  legendDark: Legend | null;
  /** The accessible name. */
  label: string;
  /** The id of the selection; empty without one. */
  selection: string;
  /** The last event that Python has handled. */
  handled: string | null;
  /** Whether the drawn outline stays visible. */
  showArea: boolean;
  goto: Goto | null;
}

/** A move of the map, applied once for each id. */
export interface Goto {
  id: string;
  x: number;
  y: number;
  /** The zoom; null is two deeper than the first with pictures. */
  z: number | null;
  /** Whether to draw a ring around the position. */
  mark: boolean;
  bounds: Bounds | null;
}

export interface Legend {
  title: string;
  ramp?: string[];
  low?: string;
  high?: string;
  swatches?: { colour: string; label: string }[];
}

/** The name of a region, shown from one zoom to another. */
export interface RegionName {
  name: string;
  why: string;
  x: number;
  y: number;
  count: number;
  from: number;
  to: number;
}

/** The image at a position, as web/routes/tiles.py answers. */
export interface FoundImage {
  row: number;
  x: number;
  y: number;
  title?: string;
  /** The corners of its picture, where one is drawn. */
  box?: Bounds | null;
  score?: number | null;
  scores?: { name: string; score: number | null; probability?: number | null; accepted?: boolean | null }[];
}
