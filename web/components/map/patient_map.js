// A Leaflet map that loses no request. Leaflet drops every view that is asked for before an animated zoom has ended;
// here the last one waits for the end. Levels that a button or a key asks for meanwhile add up: they count from where
// the map is going, not from where it is.

import * as L from "../../vendor/leaflet/leaflet-src.esm.js";

/** @typedef {{ centre: L.LatLng, zoom: number }} Place */
/** @typedef {Place & { options?: L.ZoomPanOptions }} Request */

export class PatientMap extends L.Map {
  /**
   * @param {HTMLElement} field
   * @param {L.MapOptions} options
   */
  constructor(field, options) {
    super(field, options);
    this.zooming = false;
    /** Where a zoom that has not ended leads. @type {Place | null} */
    this.goal = null;
    /** What is asked for next. @type {Request | null} */
    this.next = null;
    this.on("zoomstart", () => (this.zooming = true));
    this.on("zoomend", () => {
      this.zooming = false;
      this.goal = null;
    });
    this.on("moveend", () => {
      const { next, zooming } = this;
      if (!next || zooming) return;
      this.next = null;
      this.setView(next.centre, next.zoom, next.options);
    });
  }

  /**
   * @param {L.LatLngExpression} centre
   * @param {number} [zoom]
   * @param {L.ZoomPanOptions} [options]
   * @override
   */
  setView(centre, zoom = this.getZoom(), options = undefined) {
    const place = { centre: L.latLng(centre), zoom: this.within(zoom) };
    if (this.zooming || this.goal) {
      this.next = { ...place, options };
      return this;
    }
    super.setView(centre, zoom, options);
    if (this.getZoom() === place.zoom) return this;
    this.goal = place; // the animation begins with the next frame, which a busy machine draws late
    return this.fire("goal");
  }

  /**
   * @param {number} zoom counted from :meth:`getZoom`
   * @param {L.ZoomOptions} [options]
   * @override
   */
  setZoom(zoom, options) {
    const from = this.next ?? this.goal;
    if (!from) return super.setZoom(zoom, options);
    return this.setView(from.centre, from.zoom + zoom - this.getZoom());
  }

  /** Ask for nothing more, because the map is about to be removed. */
  forget() {
    this.next = null;
  }

  /** @param {number} zoom */
  within(zoom) {
    return Math.max(this.getMinZoom(), Math.min(this.getMaxZoom(), zoom));
  }
}
