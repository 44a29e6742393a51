// Called by Streamlit at every rerun of the script. The gallery that was left last is kept as it stands, with its
// decoded pictures, for whoever comes back to the same listing.

const shown = new WeakMap();
const LEFT = "bamGalleryLeft"; // of the window: every mount may load this module anew

function galleryFor(parent, { listing, version }) {
  const left = window[LEFT];
  if (left && !left.frame.isConnected && left.listing.id === listing.id && left.version === version) {
    left.takeUp(parent);
    return left;
  }
  if (left && !left.frame.isConnected) left.rest();
  return (window[LEFT] = new Endless(parent));
}

export default function ({ parentElement, data, setTriggerValue, setStateValue }) {
  let gallery = shown.get(parentElement);
  if (!gallery) {
    gallery = galleryFor(parentElement, data);
    shown.set(parentElement, gallery);
  }
  gallery.update(data, {
    pick: (told) => setTriggerValue("picked", told),
    choose: (told) => setStateValue("chosen", told),
  });
}
