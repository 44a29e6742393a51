// Called by Streamlit at every rerun of the script.

const shown = new WeakMap();

export default function ({ parentElement, data, setTriggerValue, setStateValue }) {
  let gallery = shown.get(parentElement);
  if (!gallery) {
    gallery = new Endless(parentElement);
    shown.set(parentElement, gallery);
  }
  gallery.update(data, {
    pick: (told) => setTriggerValue("picked", told),
    choose: (told) => setStateValue("chosen", told),
  });
}
