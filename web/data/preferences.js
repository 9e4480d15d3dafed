/** What a reader chose for themselves, kept by the browser. */

/**
 * @template {string} T
 * @param {string} name
 * @param {readonly T[]} values the first is the one of who has chosen nothing
 */
function preference(name, values) {
  const key = `chronode.${name}`;
  /** @type {Set<(value: T) => void>} */
  const watchers = new Set();
  let value = values[0];
  try {
    const kept = localStorage.getItem(key);
    value = values.find((known) => known === kept) ?? values[0];
  } catch {
    // A browser that keeps nothing has everybody choose anew.
  }
  return {
    values,
    get: () => value,
    /** @param {T} chosen */
    set(chosen) {
      value = chosen;
      try {
        localStorage.setItem(key, chosen);
      } catch {
        // See above.
      }
      for (const watcher of watchers) watcher(value);
    },
    /** @param {(value: T) => void} watcher */
    watch(watcher) {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
  };
}

/** In whose zone instants are shown. */
export const zone = preference("zone", /** @type {const} */ (["mine", "job", "utc"]));

export const theme = preference("theme", /** @type {const} */ (["system", "light", "dark"]));

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/** The colours that are shown: those chosen, or the system's. */
export const colours = {
  /** @returns {"light" | "dark"} */
  get() {
    const chosen = theme.get();
    return chosen === "system" ? (systemIsDark.matches ? "dark" : "light") : chosen;
  },
  /** @param {() => void} watcher called each time they may have changed */
  watch(watcher) {
    systemIsDark.addEventListener("change", watcher);
    const stop = theme.watch(watcher);
    return () => {
      systemIsDark.removeEventListener("change", watcher);
      stop();
    };
  },
};

/** Whether long lines of a log are broken. */
export const wrap = preference("wrap", /** @type {const} */ (["on", "off"]));
