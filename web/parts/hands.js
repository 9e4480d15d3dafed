/** What pointers and wheels do to a picture: it is dragged by one pointer, and made larger and smaller by two or by a wheel. */

/**
 * @typedef {object} Meaning points are in the picture's own CSS pixels
 * @property {(x: number, y: number) => void} pan
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {(x: number, y: number) => void} at somebody points at it: a click or a tap
 * @property {(x: number | null, y: number | null) => void} over the mouse is over it, or nowhere
 * @property {(event: WheelEvent) => {x: number, y: number} | "zoom" | "scroll"} [wheel] what a wheel means: to pan by so much, to zoom, or what
 *   it means elsewhere; to zoom where it is not given
 * @property {string} [within] a selector: what happens outside of such elements is none of the picture's business
 */

/** A pointer that moved less did not drag. */
const STILL = 5;

/**
 * @param {HTMLElement} element
 * @param {Meaning} meaning
 * @returns {() => void} lets go of it
 */
export function hands(element, meaning) {
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let travelled = 0;

  const place = (/** @type {MouseEvent} */ event) => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const ours = (/** @type {Event} */ event) => {
    const target = /** @type {Element} */ (event.target);
    return meaning.within ? target.closest(meaning.within) !== null : target.closest("button, a, .minimap") === null;
  };
  const pressed = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0 || !ours(event)) return;
    if (down.size === 0) travelled = 0;
    down.set(event.pointerId, place(event));
    element.setPointerCapture(event.pointerId);
  };
  const moved = (/** @type {PointerEvent} */ event) => {
    const at = place(event);
    const was = down.get(event.pointerId);
    if (!was) {
      if (event.pointerType === "mouse") meaning.over(ours(event) ? at.x : null, at.y);
      return;
    }
    travelled += Math.abs(at.x - was.x) + Math.abs(at.y - was.y);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    down.set(event.pointerId, at);
    if (other) {
      const apart = Math.hypot(was.x - other.x, was.y - other.y);
      const now = Math.hypot(at.x - other.x, at.y - other.y);
      meaning.pan((at.x - was.x) / 2, (at.y - was.y) / 2);
      if (apart > 10 && now > 10) meaning.zoom(now / apart, (at.x + other.x) / 2, (at.y + other.y) / 2);
    } else if (travelled >= STILL) {
      element.classList.add("dragged");
      meaning.pan(at.x - was.x, at.y - was.y);
    }
  };
  const released = (/** @type {PointerEvent} */ event) => {
    if (!down.delete(event.pointerId)) return;
    if (down.size > 0) return;
    element.classList.remove("dragged");
    if (event.type === "pointerup" && travelled < STILL) {
      const at = place(event);
      meaning.at(at.x, at.y);
    }
  };
  const left = () => meaning.over(null, null);
  const turned = (/** @type {WheelEvent} */ event) => {
    const means = meaning.wheel?.(event) ?? "zoom";
    if (means === "scroll") return;
    event.preventDefault();
    if (means !== "zoom") {
      meaning.pan(means.x, means.y);
      return;
    }
    const { x, y } = place(event);
    // Lines and pages, as some mice count, are so many pixels; a pinch on a touch pad comes as small steps with Ctrl.
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
    meaning.zoom(Math.exp(-Math.max(-200, Math.min(200, pixels)) * (event.ctrlKey ? 0.01 : 0.002)), x, y);
  };

  element.addEventListener("pointerdown", pressed);
  element.addEventListener("pointermove", moved);
  element.addEventListener("pointerup", released);
  element.addEventListener("pointercancel", released);
  element.addEventListener("pointerleave", left);
  element.addEventListener("wheel", turned, { passive: false });
  return () => {
    element.removeEventListener("pointerdown", pressed);
    element.removeEventListener("pointermove", moved);
    element.removeEventListener("pointerup", released);
    element.removeEventListener("pointercancel", released);
    element.removeEventListener("pointerleave", left);
    element.removeEventListener("wheel", turned);
  };
}
