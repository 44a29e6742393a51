// Called by Streamlit at every rerun of the script. The last gallery is kept, with its decoded pictures, in case the
// user returns to the same listing.

const shown = new WeakMap();
const LEFT = "bamGalleryLeft"; // property of the window, since every mount may load this module again

function galleryFor(parent, { listing, version }) {
  const left = window[LEFT];
  if (left && !left.frame.isConnected && left.listing.id === listing.id && left.version === version) {
    left.reattach(parent);
    return left;
  }
  if (left && !left.frame.isConnected) left.dispose();
  return (window[LEFT] = new Endless(parent));
}

export default function ({ parentElement, data, setTriggerValue, setStateValue }) {
  let gallery = shown.get(parentElement);
  if (!gallery) {
    gallery = galleryFor(parentElement, data);
    shown.set(parentElement, gallery);
  }
  gallery.update(data, {
    pick: (picked) => setTriggerValue("picked", picked),
    choose: (chosen) => setStateValue("chosen", chosen),
  });
}
