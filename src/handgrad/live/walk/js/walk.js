// The browser of a training: what the reader asks for, and the parts of the page that answer.
import { asFragment, fromFragment } from './address.js';
import { Asking, Lost, Refused, address } from './asking.js';
import { Drawing, block, button, choice, input } from './drawing.js';
import { reach } from './tables.js';
import { Words, byId } from './words.js';

/** @typedef {import('./drawing.js').State} State */
/** @typedef {import('./layers.js').Side} Side */

const POLL = 1000;
const PLAY = 350;
const SETTLE = 250; // the sheet waits until the slider rests

class Walk extends Drawing {
  /** @param {Words} words @param {State} state */
  constructor(words, state) {
    super(words, state);
    this.asking = new Asking();
    this.timer = 0;
    this.sheetTimer = 0;
    this.sheetAddress = '';
    this.lost = false;
  }

  // ---- going somewhere

  /** @param {Partial<import('./address.js').Place>} change */
  async go(change) {
    if (change.step !== undefined && change.step !== this.place.step) this.first = 0;
    Object.assign(this.place, change);
    this.settle();
    window.history.replaceState(null, '', asFragment(this.place));
    this.drawControls();
    this.drawCurve();
    await this.load();
  }

  /** Tells those who listen that the page is about to change. @param {boolean} yes */
  busy(yes) {
    if (yes) block('content').setAttribute('aria-busy', 'true');
    else block('content').removeAttribute('aria-busy');
  }

  async load() {
    const { training, step, against } = this.place;
    this.busy(true);
    const said = setTimeout(() => this.tell('walk_busy'), 300);
    try {
      const shown = await this.asking.ask('step', 'step', { model: training, step });
      const beside = against ? await this.asking.ask('beside', 'step', { model: against.training, step: against.step }) : null;
      if (!shown || (against && !beside)) return;
      const minus = against && this.alike(against.training) ? `${against.training},${against.step}` : '';
      const difference = minus ? await this.asking.ask('difference', 'step', { model: training, step, minus }) : null;
      [this.shown, this.beside, this.difference] = [shown, beside, difference];
      this.drawStep();
      await Promise.all([this.loadBatch(), this.loadEpoch()]);
      this.loadSheet();
      clearTimeout(said);
      this.tell('');
    } catch (error) {
      this.failed(error);
      this.busy(false);
    } finally {
      clearTimeout(said);
    }
  }

  /** @param {number} other */
  alike(other) {
    return String(this.state.trainings[other].sizes) === String(this.training.sizes);
  }

  async loadBatch() {
    const { training, step } = this.place;
    const batch = await this.asking.ask('batch', 'batch', { model: training, step, first: this.first });
    if (!batch) return;
    this.batch = batch;
    this.why = null;
    this.drawBatch();
  }

  async loadEpoch() {
    const { training, step } = this.place;
    const per = this.training.steps_per_epoch;
    const number = Math.floor((step - 1) / per) + 1;
    const key = `${training}:${number}:${this.training.steps}`;
    if (this.epoch?.key !== key) {
      const epoch = await this.asking.ask('epoch', 'epoch', { model: training, step: (number - 1) * per + 1 });
      if (epoch) this.epoch = { ...epoch, key, number };
    }
    this.drawEpoch();
  }

  /** @param {Side} side @param {string} name @param {string} region */
  async part(side, name, region) {
    const { training: model, step } = side;
    try {
      return await this.asking.ask(`part ${side.side} ${name}`, 'part', { model, step, name, region, minus: side.minus });
    } catch (error) {
      this.failed(error);
      return null;
    }
  }

  /** @param {string} entry @param {Side} side */
  openEntry(entry, side) {
    const there = side.training === this.place.training && side.step === this.place.step;
    this.go({ focus: entry, ...(there || side.minus ? {} : { training: side.training, step: side.step }) });
    block('sheet-title').scrollIntoView({ block: 'nearest' });
  }

  // ---- what is said

  /** @param {string} key */
  tell(key) {
    if (this.lost) return;
    const said = block('said');
    said.className = '';
    const { progress } = this.state;
    const way = progress
      ? this.words.say('walk_under_way', { epoch: this.words.count(progress.epoch), epochs: this.words.count(progress.epochs) })
      : '';
    said.textContent = key ? this.words.say(key) : way;
  }

  /** @param {unknown} error */
  failed(error) {
    const said = block('said');
    said.className = 'wrong';
    if (error instanceof Lost) {
      this.lost = true;
      said.textContent = this.words.say('walk_lost');
      this.stop();
    } else if (error instanceof Refused) said.textContent = error.message;
    else throw error;
  }

  // ---- the sheet

  loadSheet() {
    clearTimeout(this.sheetTimer);
    this.sheetTimer = window.setTimeout(() => this.openSheet(), SETTLE);
  }

  async openSheet() {
    const { training: model, step, focus, detail } = this.place;
    const asked = address('sheet', { model, step, focus, detail, language: this.words.language });
    const frame = byId('sheet', HTMLIFrameElement);
    frame.title = this.words.say('walk_sheet', { step });
    if (asked === this.sheetAddress || this.lost) {
      this.busy(false);
      return;
    }
    const said = block('sheet-said');
    try {
      const answer = await fetch(asked, { headers: { accept: 'text/html' } });
      const body = await answer.text();
      if (!answer.ok) throw new Refused(JSON.parse(body).error);
      said.textContent = '';
      said.className = '';
      this.sheetAddress = asked;
      frame.contentWindow?.location.replace(new URL(asked, location.href));
    } catch (error) {
      said.className = 'wrong';
      said.textContent = error instanceof Refused ? error.message : this.words.say('walk_lost');
      this.busy(false);
    }
  }

  /** What sticks to the top of the page stands below the controls. */
  measure() {
    const { height } = /** @type {HTMLElement} */ (document.querySelector('.controls')).getBoundingClientRect();
    document.documentElement.style.setProperty('--controls', `${Math.ceil(height)}px`);
  }

  /** Where the sheet does not stand beside the layers, it is as long as it is. */
  fitSheet() {
    const frame = byId('sheet', HTMLIFrameElement);
    const root = frame.contentDocument?.documentElement;
    if (!root) return;
    frame.style.height = matchMedia('(min-width: 70rem)').matches ? '' : `${root.scrollHeight + 8}px`;
  }

  // ---- what the reader does

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    button('play').setAttribute('aria-pressed', 'false');
  }

  /** Walks step after step until it is stopped. */
  play() {
    if (this.timer) {
      this.stop();
      return;
    }
    button('play').setAttribute('aria-pressed', 'true');
    const next = async () => {
      if (this.place.step >= this.training.steps) return this.stop();
      await this.go({ step: this.place.step + 1 });
      if (this.timer) this.timer = window.setTimeout(next, PLAY);
    };
    this.timer = window.setTimeout(next, 0);
  }

  /** @param {string} row */
  async explain(row) {
    try {
      const why = await this.asking.ask('why', 'why', { model: this.place.training, step: this.place.step, row });
      if (!why) return;
      this.why = why;
      this.drawWhy();
      /** @type {HTMLElement | null} */ (block('why').querySelector('h3'))?.focus();
    } catch (error) {
      this.failed(error);
    }
  }

  listen() {
    const step = (/** @type {number} */ by) => () => this.go({ step: this.place.step + by });
    /** @type {Record<string, () => unknown>} */
    const clicks = {
      first: () => this.go({ step: 1 }),
      back: step(-1),
      forward: step(1),
      last: () => this.go({ step: this.training.steps }),
      play: () => this.play(),
      swap: () => {
        const { training, step: mine, against } = this.place;
        if (against)
          this.go({ training: against.training, step: against.step, against: { training, step: mine } }).then(() =>
            this.drawHead(),
          );
      },
      unfocus: () => this.go({ focus: '' }),
      earlier: () => this.page(-25),
      later: () => this.page(25),
    };
    for (const [id, action] of Object.entries(clicks)) button(id).addEventListener('click', action);
    input('slider').addEventListener('input', () => this.go({ step: input('slider').valueAsNumber }));
    input('number').addEventListener('change', () => this.go({ step: input('number').valueAsNumber }));
    input('other-number').addEventListener('change', () => {
      if (this.place.against) this.go({ against: { ...this.place.against, step: input('other-number').valueAsNumber } });
    });
    choice('training').addEventListener('change', () =>
      this.go({ training: Number(choice('training').value) }).then(() => this.drawHead()),
    );
    choice('against').addEventListener('change', () => {
      const { value } = choice('against');
      const other = Number(value);
      this.go({ against: value === '' ? null : { training: other, step: other === this.place.training ? 1 : this.place.step } });
    });
    choice('detail').addEventListener('change', () =>
      this.go({ detail: choice('detail').value === 'brief' ? '' : choice('detail').value }),
    );
    input('focus').addEventListener('change', () => this.go({ focus: input('focus').value.trim() }));
    for (const id of /** @type {const} */ (['language', 'numerals'])) {
      choice(id).addEventListener('change', () => {
        this.go({ [id]: choice(id).value });
        this.drawAll();
      });
    }
    block('batch').addEventListener('click', (event) => {
      const asked = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-why]'));
      if (asked) this.explain(asked.dataset.why ?? '');
    });
    block('why').addEventListener('click', (event) => {
      if (!(/** @type {Element} */ (event.target).closest('[data-close]'))) return;
      const row = this.why?.row;
      this.why = null;
      block('why').hidden = true;
      /** @type {HTMLElement | null} */ (block('batch').querySelector(`[data-why="${row}"]`))?.focus();
    });
    byId('sheet', HTMLIFrameElement).addEventListener('load', () => {
      this.fitSheet();
      this.busy(false);
    });
    new ResizeObserver(() => this.measure()).observe(/** @type {Element} */ (document.querySelector('.controls')));
    window.addEventListener('resize', () => {
      this.drawCurve();
      this.drawEpoch();
      this.fitSheet();
      reach();
    });
    window.addEventListener('hashchange', () => this.go(fromFragment(location.hash)));
    document.addEventListener('keydown', (event) => this.pressed(event));
  }

  /** @param {number} by */
  async page(by) {
    this.first = Math.max(0, this.first + by);
    await this.loadBatch().catch((error) => this.failed(error));
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const inField = /** @type {Element} */ (event.target).closest('input, select, .heat');
    if (inField || event.altKey || event.ctrlKey || event.metaKey) return;
    const per = this.training.steps_per_epoch;
    /** @type {Record<string, number>} */
    const moves = { ArrowRight: 1, ArrowLeft: -1, '.': per, ',': -per };
    if (event.key in moves) this.go({ step: this.place.step + moves[event.key] });
    else if (event.key === 'p') this.play();
    else return;
    event.preventDefault();
  }

  // ---- a training under way

  async watch() {
    while (this.state.progress && !this.lost) {
      await new Promise((later) => setTimeout(later, POLL));
      try {
        const before = this.state.version;
        /** @type {State | null} */
        const state = await this.asking.ask('state', 'state');
        if (!state || state.version === before) continue;
        this.renew(state);
        this.drawHead();
        if (input('follow').checked) await this.go({ step: this.training.steps });
        else {
          this.drawControls();
          this.drawCurve();
        }
        this.tell(state.progress ? '' : 'walk_done');
      } catch (error) {
        this.failed(error);
      }
    }
  }
}

async function begin() {
  const asking = new Asking();
  const [catalogue, state] = await Promise.all([asking.ask('words', 'words'), asking.ask('state', 'state')]);
  const walk = new Walk(new Words(catalogue), state);
  walk.settle();
  input('follow').checked = Boolean(state.progress);
  walk.drawAll();
  walk.listen();
  await walk.go({});
  walk.drawCurve(); // its width is known now: the numbers stand beside it
  walk.watch();
  return walk;
}

/** For tests and for the curious: a promise of the page, once the first step is shown. */
Object.assign(window, { handgrad: { ready: begin() } });
