// What the reader has chosen and changed, with its history, and as a link that carries it.
/** @typedef {import('./training.js').Edit} Edit */
/** @typedef {{step: number, edits: Edit[], swap: Record<string, string>}} Moment */

export class History {
  constructor() {
    /** @type {Moment[]} */
    this.past = [];
  }

  /** @param {Moment} moment */
  keep(moment) {
    const copy = JSON.parse(JSON.stringify(moment));
    if (JSON.stringify(this.past.at(-1)) !== JSON.stringify(copy)) this.past.push(copy);
    if (this.past.length > 500) this.past.shift();
  }

  /** @returns {Moment | undefined} */
  back() {
    return this.past.pop();
  }
}

/** The state as the fragment of an address: s=3&e=W1,0,1,0.25;eta,0.5 @param {Moment} moment @param {Record<string, string>} choices */
export function asFragment(moment, choices) {
  const parts = new URLSearchParams();
  if (moment.step !== 1) parts.set('s', String(moment.step));
  if (moment.edits.length) parts.set('e', moment.edits.map((e) => [e.quantity, ...e.index, e.value].join(',')).join(';'));
  for (const [name, value] of Object.entries(moment.swap)) parts.set(`x-${name}`, value);
  for (const [name, value] of Object.entries(choices)) parts.set(name, value);
  return parts.toString();
}

/** @param {string} fragment @returns {{moment: Moment, choices: Record<string, string>}} */
export function fromFragment(fragment) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ''));
  /** @type {Moment} */
  const moment = { step: Number(parts.get('s') ?? 1) || 1, edits: [], swap: {} };
  /** @type {Record<string, string>} */
  const choices = {};
  for (const text of (parts.get('e') ?? '').split(';').filter(Boolean)) {
    const [quantity, ...rest] = text.split(',');
    const numbers = rest.map(Number);
    if (numbers.every(Number.isFinite) && numbers.length) {
      moment.edits.push({ quantity, index: numbers.slice(0, -1), value: numbers[numbers.length - 1] });
    }
  }
  for (const [name, value] of parts) {
    if (name.startsWith('x-')) moment.swap[name.slice(2)] = value;
    else if (name !== 's' && name !== 'e') choices[name] = value;
  }
  return { moment, choices };
}
