// Where the reader is, as the fragment of the address: #step=40&against=0,1&focus=W1[0,3]
/**
 * The training and step that are shown, the ones beside them, what the sheet shows, the reader's language and digits.
 * @typedef {{training: number, step: number, against: {training: number, step: number} | null, detail: string, focus: string,
 *   language: string, numerals: string}} Place
 */

/** @param {Place} place */
export function asFragment(place) {
  const parts = new URLSearchParams();
  if (place.training) parts.set('training', String(place.training));
  parts.set('step', String(place.step));
  if (place.against) parts.set('against', `${place.against.training},${place.against.step}`);
  for (const name of /** @type {const} */ (['detail', 'focus', 'language', 'numerals']))
    if (place[name]) parts.set(name, place[name]);
  return `#${parts}`;
}

/** What a fragment says, of what it says anything. @param {string} fragment @returns {Partial<Place>} */
export function fromFragment(fragment) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ''));
  /** @type {Partial<Place>} */
  const place = {};
  for (const name of /** @type {const} */ (['training', 'step'])) {
    if (/^\d{1,15}$/.test(parts.get(name) ?? '')) place[name] = Number(parts.get(name));
  }
  const against = /^(\d{1,3}),(\d{1,15})$/.exec(parts.get('against') ?? '');
  if (against) place.against = { training: Number(against[1]), step: Number(against[2]) };
  for (const name of /** @type {const} */ (['detail', 'focus', 'language', 'numerals'])) {
    const text = parts.get(name);
    if (text) place[name] = text;
  }
  return place;
}
