// The words of the page in the reader's language, and numbers as they are written there.
import { plainText, shown } from '../../js/numerals.js';

const BENGALI = [...'০১২৩৪৫৬৭৮৯'];

export class Words {
  /** @param {Record<string, Record<string, string>>} catalogue */
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.language = 'en';
    this.numerals = '';
  }

  /** A sentence, its places filled. @param {string} key @param {Record<string, unknown>} [fill] */
  say(key, fill = {}) {
    const text = (this.catalogue[this.language] ?? this.catalogue.en)[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (_, name) => String(fill[name] ?? ''));
  }

  /** Digits of the reader's choice. @param {unknown} text */
  digits(text) {
    return this.numerals === 'bn' ? String(text).replace(/\d/g, (d) => BENGALI[Number(d)]) : String(text);
  }

  /** A number with four significant digits; a dash for what is not there. @param {number | null | undefined} value */
  number(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return '–';
    return this.digits(plainText(shown(value, { decimals: 4, significant: 4, point: '.' })));
  }

  /** A whole number, its thousands apart. @param {number} value */
  count(value) {
    return this.digits(String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f'));
  }

  /** Fills every element that names its words. @param {ParentNode} root */
  fill(root) {
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-say]'))) {
      element.textContent = this.say(element.dataset.say ?? '');
    }
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-label]'))) {
      element.setAttribute('aria-label', this.say(element.dataset.label ?? ''));
    }
  }
}

/** @param {string} text */
export function escaped(text) {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`there is no ${kind.name} #${id}`);
  return found;
}
