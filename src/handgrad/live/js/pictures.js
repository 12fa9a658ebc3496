// The figure, the curve and the plane, from the numbers of the step that is open.
import { Cards } from './cards.js';
import { curve } from './curve.js';
import { redraw, redrawLines } from './drawn.js';
import { lettersOf } from './entries.js';
import { evaluate, scope } from './evaluate.js';
import { figure } from './figure.js';
import { fields } from './inputs.js';
import { plain, written } from './letters.js';
import { fromRows, toRows, transposed } from './matrices.js';
import { plane } from './plane.js';
import { asFragment } from './state.js';

/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {import('./matrices.js').Matrix} Matrix */
/** @typedef {import('./training.js').Assignment} Assignment */

/** @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Chromium ignores a page that writes its address 200 times within 10 seconds: so many are written at once, then later. */
const [MANY, SPAN, LATER] = [60, 10_000, 250];
const PARTS = ['forward', 'loss', 'backward', 'update'];

export class Pictures extends Cards {
  addressTimer = 0;
  /** When the address was written, the latest times. @type {number[]} */
  written = [];

  // ---- the whole page

  draw() {
    document.documentElement.lang = this.language;
    this.drawControls();
    this.drawFigure();
    this.drawCalculation();
    this.drawGiven();
    this.keepAddress();
    window.dispatchEvent(new CustomEvent('handgrad'));
  }

  /** The address carries the state at once; in a long drag later, for browsers refuse a page that writes it too often. */
  keepAddress() {
    clearTimeout(this.addressTimer);
    const often = this.written.length === MANY && performance.now() - this.written[0] < SPAN;
    if (often) this.addressTimer = window.setTimeout(() => this.writeAddress(), LATER);
    else this.writeAddress();
  }

  writeAddress() {
    clearTimeout(this.addressTimer);
    if (location.protocol === 'about:') return; // a page within a notebook has no address of its own
    this.written = [...this.written, performance.now()].slice(-MANY);
    const choices = Object.fromEntries(Object.entries(this.choices).filter(([, value]) => value !== undefined));
    const fragment = asFragment({ step: this.now.step, edits: this.now.training.edits, swap: this.now.swap }, choices);
    window.history.replaceState(null, '', fragment ? `#${fragment}` : location.pathname + location.search);
  }

  drawControls() {
    const step = byId('step');
    step.textContent = this.say('live_step', { step: this.now.step, steps: this.data.calculation.steps });
    const slider = /** @type {HTMLInputElement} */ (byId('slider'));
    slider.min = String(this.now.training.first);
    slider.max = String(Math.max(Math.min(this.data.calculation.steps, this.now.training.most), this.now.walked));
    slider.value = String(this.now.step);
    /** @type {HTMLButtonElement} */ (byId('undo')).disabled = this.history.past.length === 0;
    /** @type {HTMLButtonElement} */ (byId('back')).disabled = this.now.step === this.now.training.first;
    /** @type {HTMLButtonElement} */ (byId('forward')).disabled = this.now.step >= this.now.training.most;
    for (const element of document.querySelectorAll('[data-say]')) {
      element.textContent = this.say(/** @type {HTMLElement} */ (element).dataset.say ?? '');
    }
    for (const element of document.querySelectorAll('[data-label]')) {
      element.setAttribute('aria-label', this.say(/** @type {HTMLElement} */ (element).dataset.label ?? ''));
      element.setAttribute('title', this.say(/** @type {HTMLElement} */ (element).dataset.label ?? ''));
    }
  }

  drawFigure() {
    const { sizes, activations } = this.data.network;
    const values = this.values;
    const number = (/** @type {string} */ quantity, /** @type {number} */ i, /** @type {number} */ j) => {
      const held = values.get(quantity);
      if (!held) return NaN;
      return held.values[i * held.columns + j];
    };
    const upright = this.data.calculation.column;
    const unit = (/** @type {string} */ quantity, /** @type {number} */ i) =>
      upright ? number(quantity, i, 0) : number(quantity, 0, i);
    const last = sizes.length - 1;
    const labels = (/** @type {number} */ l, /** @type {number} */ i) => {
      const symbol = {
        op: 'Symbol',
        letter: l === 0 ? 'x' : l === last ? 'yhat' : 'a',
        ...(l > 0 && l < last ? { layer: l } : {}),
        entry: [i],
        name: '',
      };
      const { alphabet, notation } = this.style;
      const name = written(symbol, alphabet, { ...notation, layer: 'subscript' });
      return l > 0 && l < last
        ? `${name.base}${String(i + notation.first).replace(/\d/g, (d) => '₀₁₂₃₄₅₆₇₈₉'[Number(d)])}`
        : plain({ ...name, suffix: '', below: String(i + notation.first) });
    };
    const now = this.lines[this.now.moment];
    const lit = new Set(now ? [now.quantity.replace(/^d(?=W)/, ''), ...lettersOf(now.letters).map((letter) => letter.name)] : []);
    const network = figure(
      {
        sizes,
        activations: this.now.swap.hidden
          ? activations.map((/** @type {string} */ a, /** @type {number} */ l) =>
              l < activations.length - 1 ? this.now.swap.hidden : a,
            )
          : activations,
      },
      {
        weight: (l, i, j) => number(`W${l}`, i, j),
        value: (l, i) => unit(l === 0 ? 'x' : l === last ? 'yhat' : `a${l}`, i),
        label: labels,
        write: (x) => this.write(x),
        describe: this.say('live_figure', { sizes: sizes.join('-') }),
        lit,
        flow: now?.part === 'backward' || now?.part === 'update' ? 'back' : 'ahead',
      },
    );
    redraw(byId('figure'), network);
    const losses = [];
    const { first } = this.now.training;
    for (let s = first; s <= Math.max(this.now.walked, this.now.step); s++)
      losses.push(this.now.training.number(s, 'loss') ?? NaN);
    const grown =
      losses.length > 1
        ? curve(losses, this.now.step, first, {
            write: (x) => this.write(x),
            describe: this.say('live_curve'),
            axis: this.say('live_axis'),
          })
        : '';
    redraw(byId('curve'), grown);
    this.drawPlane();
  }

  /** The prediction over two inputs, with this step's parameters. */
  drawPlane() {
    const { sizes } = this.data.network;
    const show = (/** @type {string} */ html) => redraw(byId('plane'), html);
    const X = /** @type {number[][]} */ (this.now.training.data.x);
    const Y = /** @type {number[][] | undefined} */ (this.now.training.data.y);
    if (sizes[0] !== 2 || !X || !this.values.has('b1') || this.data.network.dropout) {
      show('');
      return;
    }
    const upright = this.data.calculation.column;
    const forward = this.assignments.filter((a) => a.part === 'forward' || /^(z|a|f)\d+$|^yhat$/.test(a.quantity));
    const predict = (/** @type {number[][]} */ points) => {
      const values = new Map(this.values);
      const rows = fromRows(points);
      values.set('x', upright ? transposed(rows) : rows);
      const at = scope(values, upright);
      for (const a of forward) values.set(a.quantity, evaluate(a.letters, at));
      const yhat = /** @type {Matrix} */ (values.get('yhat'));
      const outputs = upright ? transposed(yhat) : yhat;
      return toRows(outputs).map((line) => line[line.length > 1 ? 1 : 0]);
    };
    const targets = X.map((_, k) => Y?.[k]?.[(Y[k].length ?? 1) > 1 ? 1 : 0] ?? 0);
    const W = toRows(/** @type {Matrix} */ (this.values.get('W1')));
    const b = Array.from(/** @type {Matrix} */ (this.values.get('b1')).values);
    try {
      const first = this.style.notation.first;
      const names = /** @type {[string, string]} */ ([`x${'₀₁'[first]}`, `x${'₁₂'[first]}`]);
      show(plane(X, targets, predict, W, b, { describe: this.say('live_plane'), names }));
    } catch {
      show(''); // given quantities fix the batch: there is no prediction elsewhere
    }
  }

  drawCalculation() {
    const lines = this.lines;
    const sections = PARTS.map((part) => {
      const cards = lines
        .filter((a) => a.part === part)
        .map((a) => `<article id="q-${a.quantity}" data-card="${a.quantity}"></article>`);
      return cards.length ? `<section><h3>${this.say(`live_${part}`)}</h3>${cards.join('')}</section>` : '';
    });
    redraw(byId('calculation'), sections.join(''));
    lines.forEach((a, place) => {
      const card = byId(`q-${a.quantity}`);
      const equation = this.equation(a);
      const picked = a.quantity === this.now.picked ? ' picked' : '';
      card.className = `card${place === this.now.moment ? ' lit' : ''}${picked}`;
      redraw(card, this.card(a, equation.length));
      redrawLines(card, equation);
    });
    byId('closing').textContent = this.closing();
  }

  closing() {
    const before = this.now.training.number(this.now.step, 'loss');
    if (before === undefined || !Number.isFinite(before)) return '';
    if (!this.values.has('W1_new')) return this.say('live_loss', { loss: this.write(before) });
    const values = new Map(this.values);
    for (const [name, value] of this.values) if (name.endsWith('_new')) values.set(name.slice(0, -4), value);
    const at = scope(values, this.data.calculation.column);
    for (const a of this.assignments) {
      if (a.part !== 'update' && !a.quantity.endsWith('_new') && !/_(m|v|s|velocity|m_hat|v_hat|v_max)$/.test(a.quantity))
        values.set(a.quantity, evaluate(a.letters, at));
      if (a.quantity === 'loss') break;
    }
    const after = values.get('loss')?.values[0] ?? NaN;
    const key = after < before ? 'live_lowered' : after > before ? 'live_raised' : 'live_kept';
    return this.say(key, { before: this.write(before), after: this.write(after) });
  }

  drawGiven() {
    const changed = new Set(this.now.training.edits.map((e) => `${e.quantity}:${e.index.join(',')}`));
    const editable = this.now.training.editable();
    const holder = byId('given');
    const signature = JSON.stringify([this.language, this.style.notation, this.now.swap, Object.keys(editable)]);
    if (holder.dataset.signature !== signature) {
      holder.dataset.signature = signature;
      holder.innerHTML = Object.entries(editable)
        .filter(([name]) => !/_old$/.test(name))
        .map(
          ([name, value]) =>
            `<fieldset><legend>${this.nameMath(name)}</legend>${fields(name, value, this.name(name), changed)}</fieldset>`,
        )
        .join('');
    }
    for (const input of holder.querySelectorAll('input')) {
      const { quantity = '', index = '' } = input.dataset;
      const places = index === '' ? [] : index.split(',').map(Number);
      const value = places.reduce((/** @type {any} */ held, place) => held?.[place], editable[quantity]);
      if (input !== document.activeElement || input.valueAsNumber !== value)
        if (input.value !== String(value)) input.value = String(value);
      input.classList.toggle('changed', changed.has(`${quantity}:${index}`));
    }
  }
}
