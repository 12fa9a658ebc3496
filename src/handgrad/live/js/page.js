// What the reader does: change, walk, pick, swap, be asked; and the interface for programs.
import { figure } from './figure.js';
import { draggable } from './inputs.js';
import { Pictures, byId } from './pictures.js';
import { Training } from './training.js';
import { swapped, unpool } from './variants.js';

/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {import('./matrices.js').Matrix} Matrix */
/** @typedef {import('./training.js').Assignment} Assignment */

class Page extends Pictures {
  field = '';

  // ---- what the reader does

  /** Keeps this moment for undo; what follows of the same field's typing or dragging belongs to it. @param {string} [field] */
  remember(field = '') {
    if (field && field === this.field) return;
    this.field = field;
    this.history.keep({ step: this.now.step, edits: this.now.training.edits, swap: this.now.swap });
  }

  /** @param {string} quantity @param {unknown} index @param {number} value @param {string} [field] that is being typed or dragged */
  set(quantity, index, value, field = '') {
    this.remember(field);
    this.now.training.set(quantity, index, value);
    this.draw();
  }

  /** What is typed or dragged in a field is one edit, until the field is left. @param {HTMLInputElement} input @param {number} value */
  edit(input, value) {
    const { quantity = '', index = '' } = input.dataset;
    this.set(quantity, index, value, `${quantity}:${index}`);
  }

  /** @param {number} step */
  go(step) {
    this.now.step = Math.min(Math.max(this.now.training.first, Math.round(step)), this.now.training.most);
    this.now.walked = Math.max(this.now.walked, this.now.step);
    this.draw();
  }

  undo() {
    this.field = '';
    const moment = this.history.back();
    if (!moment) return;
    this.take(moment.swap);
    this.now.training.restore(moment.edits);
    this.go(moment.step);
  }

  reset() {
    this.remember();
    this.stop();
    this.take({});
    this.now.training.restore([]);
    this.now.hidden.clear();
    this.answers.clear();
    this.now.walked = this.now.training.first;
    this.go(this.now.training.first);
  }

  /** Where the reader is, as other programs read it. */
  moment() {
    const edits = this.now.training.edits.map((e) => [e.quantity, [...e.index], e.value]);
    return { step: this.now.step, edits };
  }

  /** @param {{step: number, edits: [string, unknown, number][]}} moment */
  restore({ step, edits }) {
    this.remember();
    this.now.training.restore([]);
    for (const [quantity, index, value] of edits) this.now.training.set(quantity, index, value);
    this.go(step);
  }

  /** @param {Record<string, string>} swap */
  take(swap) {
    this.now.swap = { ...swap };
    const { edits } = this.now.training;
    this.now.training = new Training(swapped(this.data.calculation, this.data.variants, this.now.swap));
    this.now.training.restore(edits.filter((edit) => this.now.training.holder(edit.quantity)));
  }

  stop() {
    clearInterval(this.now.timer);
    this.now.timer = 0;
    this.now.moment = -1;
    document.body.classList.remove('playing');
  }

  /** Walks step after step until it is stopped. */
  play() {
    if (this.now.timer) {
      this.stop();
      this.draw();
      return;
    }
    document.body.classList.add('playing');
    this.now.timer = window.setInterval(() => {
      if (this.now.step >= this.now.training.most) this.stop();
      else this.go(this.now.step + 1);
    }, 250);
  }

  /** One quantity at a time, forward along the figure and back again. */
  animate() {
    if (this.now.timer) {
      this.stop();
      this.draw();
      return;
    }
    this.now.moment = -1;
    document.body.classList.add('playing');
    const next = () => {
      this.now.moment += 1;
      if (this.now.moment >= this.lines.length) this.stop();
      this.draw();
      const lit = document.querySelector('.card.lit');
      const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
      lit?.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
    };
    this.now.timer = window.setInterval(next, 1600);
    next();
  }

  /** Hides every second result, or shows all again. */
  quiz() {
    const hidden = this.now.hidden.size > 0;
    this.now.hidden = new Set(hidden ? [] : this.lines.map((a) => a.quantity));
    this.answers.clear();
    this.draw();
  }

  /** @param {string} quantity */
  pick(quantity) {
    this.now.picked = this.now.picked === quantity ? null : quantity;
    this.draw();
    const card = document.getElementById(`q-${quantity}`);
    if (card) card.querySelector('button')?.focus();
    else /** @type {HTMLElement | null} */ (document.querySelector(`#given input[data-quantity="${quantity}"]`))?.focus();
  }

  listen() {
    /** @type {Record<string, () => void>} */
    const clicks = {
      first: () => this.go(this.now.training.first),
      back: () => this.go(this.now.step - 1),
      forward: () => this.go(this.now.step + 1),
      play: () => this.play(),
      animate: () => this.animate(),
      undo: () => this.undo(),
      reset: () => this.reset(),
      quiz: () => this.quiz(),
      link: () => {
        this.writeAddress();
        navigator.clipboard?.writeText(location.href).catch(() => {});
        byId('said').textContent = this.say('live_copied');
      },
    };
    for (const [id, action] of Object.entries(clicks)) byId(id).addEventListener('click', action);
    byId('slider').addEventListener('input', (event) => this.go(Number(/** @type {HTMLInputElement} */ (event.target).value)));
    document.addEventListener('click', (event) => this.clicked(/** @type {Element} */ (event.target)));
    const given = byId('given');
    given.addEventListener('input', (event) => {
      const input = /** @type {HTMLInputElement} */ (event.target);
      if (Number.isFinite(input.valueAsNumber)) this.edit(input, input.valueAsNumber);
    });
    draggable(given, (input, value) => {
      input.value = String(value);
      this.edit(input, value);
    });
    for (const end of ['change', 'focusout', 'pointerup'])
      given.addEventListener(end, () => {
        this.field = '';
      });
    document.addEventListener('change', (event) => this.changed(/** @type {HTMLInputElement} */ (event.target)));
    document.addEventListener('keydown', (event) => {
      const inField = /** @type {Element} */ (event.target).closest('input, select');
      if (inField || event.altKey || event.ctrlKey || event.metaKey) return;
      /** @type {Record<string, () => void>} */
      const keys = { ArrowRight: clicks.forward, ArrowLeft: clicks.back, Home: clicks.first, p: clicks.play, u: clicks.undo };
      if (keys[event.key]) {
        keys[event.key]();
        event.preventDefault();
      }
    });
  }

  /** @param {Element} target */
  clicked(target) {
    const pick = /** @type {HTMLElement | null} */ (target.closest('[data-pick]'));
    const point = /** @type {HTMLElement | null} */ (target.closest('[data-step]'));
    const part = /** @type {HTMLElement | null} */ (target.closest('#figure [data-quantity]'));
    if (pick) this.pick(pick.dataset.pick ?? '');
    else if (point) this.go(Number(point.dataset.step));
    else if (part) {
      const { quantity = '', index = '' } = part.dataset;
      const input = /** @type {HTMLInputElement | null} */ (
        document.querySelector(`#given input[data-quantity="${quantity}"][data-index="${index}"]`)
      );
      if (input) {
        input.focus();
        input.select();
      } else if (document.getElementById(`q-${quantity}`)) this.pick(quantity);
    }
  }

  /** @param {HTMLInputElement} input */
  changed(input) {
    const { choice, swap, entry, answer } = input.dataset;
    if (choice) {
      if (input.value === '') delete this.choices[choice];
      else this.choices[choice] = input.value;
    } else if (swap) {
      this.remember();
      const { [swap]: _, ...others } = this.now.swap;
      this.take(input.value ? { ...others, [swap]: input.value } : others);
    } else if (entry) this.now.entry[Number(entry)] = Math.max(0, input.valueAsNumber - this.style.notation.first);
    else if (answer) this.answers.set(answer, input.value);
    else return;
    this.draw();
    if (answer) /** @type {HTMLElement | null} */ (document.querySelector(`[data-answer="${answer}"]`))?.focus();
  }
}

const page = new Page(unpool(JSON.parse(byId('data').textContent ?? '{}')));
const ready = (async () => {
  page.listen();
  page.draw();
  document.body.classList.add('ready');
})();

Object.assign(window, {
  handgrad: {
    ready,
    quantities: (/** @type {number} */ step = page.now.step) => page.now.training.quantities(step),
    set: (/** @type {string} */ quantity, /** @type {unknown} */ index, /** @type {number} */ value) =>
      page.set(quantity, index, Number(value)),
    steps: (/** @type {number} */ n) => {
      page.go(n);
      return page.now.step;
    },
    reset: () => page.reset(),
    undo: () => page.undo(),
    state: () => page.moment(),
    restore: (/** @type {{step: number, edits: [string, unknown, number][]}} */ moment) => page.restore(moment),
  },
});
