// How a letter is written: the tables of letters come with the page's data, the reader's choice of notation is applied here.

/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {{layer: 'bracket' | 'superscript' | 'subscript', names: 'az' | 'hy' | 'xyz' | 'capital', first: 0 | 1, decimal: '.' | ',',
 *   depth: number | null}} Notation */
/** @typedef {{base: string, hy: string, xyz: string, capital: string, accent: string, xyz_accent: string | null, subscript: string, array: boolean}} Letter */
/**
 * @typedef {{letters: Record<string, Letter>, states: Record<string, [string, string, string]>, labels: Record<string, string>,
 *   functions: Record<string, {base: string, subscript: string, upright: boolean}>}} Alphabet
 */
/** A symbol taken apart. @typedef {{base: string, accent: string, below: string, above: string, bold: boolean, suffix: string}} Written */

const MINUS = '\u2212';

/** @param {string} text */
export function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** @param {Tree} symbol @param {Alphabet} alphabet @param {Notation} notation @returns {Written} */
export function written(symbol, alphabet, notation) {
  const [base, accent, words] = named(symbol, alphabet, notation);
  const state = symbol.mark in alphabet.states;
  const after = state && symbol.letter !== 'theta' ? 1 : 0; // the parameter of a companion stays in front: v_{W,1}
  const below = [...words];
  let [above, suffix] = ['', ''];
  const layerOf =
    symbol.layer ?? (notation.names === 'capital' && symbol.letter === 'yhat' ? (notation.depth ?? 'L') : undefined);
  if (layerOf !== undefined) {
    const layer = String(layerOf).replace('-', MINUS);
    if (notation.layer === 'subscript') below.splice(after, 0, layer);
    else above += notation.layer === 'bracket' ? `[${layer}]` : layer;
  }
  if (symbol.sample !== undefined) {
    above += `${above && notation.layer === 'superscript' ? ',' : ''}(${position(symbol.sample, notation)})`;
  }
  const entry = symbol.entry ?? [];
  if (entry.length) {
    const places = entry.map((/** @type {number | string} */ place) => position(place, notation));
    const numbered = entry.every((/** @type {unknown} */ place) => typeof place === 'number');
    if (notation.layer === 'subscript' && (layerOf !== undefined || numbered)) suffix = `[${places.join(',')}]`;
    else below.splice(after, 0, places.join(places.every((/** @type {string} */ p) => p.length === 1) ? '' : ','));
  }
  if (symbol.mark in alphabet.labels) below.push(alphabet.labels[symbol.mark]);
  const step = notation.names === 'xyz' ? 'τ' : 't';
  if (symbol.old) below.push(`${step}${MINUS}1`);
  else if (state) below.push(step);
  return { base, accent, below: below.join(','), above, bold: alphabet.letters[symbol.letter].array && !entry.length, suffix };
}

/** @param {Tree} symbol @param {Alphabet} alphabet @param {Notation} notation @returns {[string, string, string[]]} */
function named(symbol, alphabet, notation) {
  const letter = alphabet.letters[symbol.letter];
  let { base, accent } = letter;
  if (notation.names === 'hy' && letter.hy) base = letter.hy;
  else if (notation.names === 'xyz' && letter.xyz) [base, accent] = [letter.xyz, letter.xyz_accent ?? accent];
  else if (notation.names === 'capital' && letter.capital) [base, accent] = [letter.capital, ''];
  if (symbol.mark in alphabet.states) {
    const [state, hat, word] = alphabet.states[symbol.mark];
    return [state, hat, [...(symbol.letter === 'theta' ? [] : [base]), ...(word ? [word] : [])]];
  }
  return [base, accent, letter.subscript ? [letter.subscript] : []];
}

/** @param {number | string} index @param {Notation} notation */
function position(index, notation) {
  return typeof index === 'number' ? String(index + notation.first) : index;
}

// Bold italic letters are characters of their own: MathML Core has no bold.
/** @param {string} c */
function bold(c) {
  const code = c.charCodeAt(0);
  if (c >= 'A' && c <= 'Z') return String.fromCodePoint(0x1d468 + code - 65);
  if (c >= 'a' && c <= 'z') return String.fromCodePoint(0x1d482 + code - 97);
  if (code >= 0x3b1 && code < 0x3ca) return String.fromCodePoint(0x1d736 + code - 0x3b1);
  return c;
}

const SHAPES = /** @type {Record<string, string>} */ ({ φ: '\u03d5', ε: '\u03f5' });

/** The letters of a base. @param {string} text @param {boolean} isBold @param {boolean} upright */
export function base(text, isBold, upright) {
  if (upright) return `<mi${[...text].length === 1 ? ' mathvariant="normal"' : ''}>${escaped(text)}</mi>`;
  return [...text]
    .map((c) =>
      /\p{L}/u.test(c)
        ? `<mi>${isBold ? bold(c) : (SHAPES[c] ?? c)}</mi>`
        : `<mo stretchy="false" lspace="0" rspace="0">${c}</mo>`,
    )
    .join('');
}

/** A sub- or superscript from its text: digits, letters, words, commas, brackets. @param {string} text */
export function script(text) {
  if (/^[\d[\]()]+$/.test(text)) return `<mtext>${text}</mtext>`;
  const parts = text.match(/\d+|\p{L}+|\S/gu) ?? [];
  return `<mrow>${parts.map(part).join('')}</mrow>`;
}

/** @param {string} token */
function part(token) {
  if (/^\d/.test(token)) return `<mn>${token}</mn>`;
  if (/^\p{L}/u.test(token)) return `<mi${token.length > 1 ? ' mathvariant="normal"' : ''}>${token}</mi>`;
  return `<mo stretchy="false" lspace="0" rspace="0">${token}</mo>`;
}

const ACCENTS = /** @type {Record<string, string>} */ ({ hat: '^', tilde: '~', bar: '\u00af' });

/** The symbol as MathML; `raised`: a superscript that joins its own. @param {Written} name @param {string} [raised] */
export function symbolMath(name, raised = '') {
  let body = base(name.base, name.bold, false);
  if ([...name.base].length > 1) body = `<mrow>${body}</mrow>`;
  if (name.accent) body = `<mover accent="true">${body}<mo stretchy="false">${ACCENTS[name.accent]}</mo></mover>`;
  const above = [name.above ? script(name.above) : '', raised].filter(Boolean);
  const top = above.length > 1 ? `<mrow>${above.join('')}</mrow>` : (above[0] ?? '');
  const below = name.below ? script(name.below) : '';
  if (top && below) body = `<msubsup>${body}${below}${top}</msubsup>`;
  else if (below) body = `<msub>${body}${below}</msub>`;
  else if (top) body = `<msup>${body}${top}</msup>`;
  return name.suffix ? `<mrow>${body}${script(name.suffix)}</mrow>` : body;
}

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const LOWERED = '₀₁₂₃₄₅₆₇₈₉';

/** The symbol as plain text, for labels and for those who listen. @param {Written} name */
export function plain(name) {
  const accent = { hat: '\u0302', tilde: '\u0303', bar: '\u0304' }[name.accent] ?? '';
  const digits = (/** @type {string} */ text, /** @type {string} */ forms) => text.replace(/\d/g, (d) => forms[Number(d)]);
  const below = /^[\d,]+$/.test(name.below) ? digits(name.below, LOWERED) : name.below && `_${name.below}`;
  const above = /^\d+$/.test(name.above) ? digits(name.above, RAISED) : name.above;
  return `${name.base}${accent}${above}${below}${name.suffix}`.normalize('NFC');
}
