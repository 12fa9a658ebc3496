// What the page shows of the training, the step, its batch: drawn from what the server has answered.
import { fromFragment } from './address.js';
import { drawCurves } from './curves.js';
import { Layers } from './layers.js';
import { batchTable, numbersTable, reach, stretchBars, whyTable } from './tables.js';
import { byId } from './words.js';

/** @typedef {{epoch: number, loss: number | null, validation: number | null, steps: number}} Line */
/**
 * @typedef {{name: string, target: string, sizes: number[], parameters: number, optimizer: string, engine: string, dtype: string,
 *   batch_size: number, steps: number, steps_per_epoch: number, epochs: number, ended: string, best_epoch: number | null,
 *   rows: boolean, history: Line[], every: number}} Training
 */
/** @typedef {{version: number, language: string, progress: {epoch: number, epochs: number} | null, trainings: Training[]}} State */
/** @typedef {import('./layers.js').Side} Side */

/** @typedef {import('./words.js').Words} Words */

export const input = (/** @type {string} */ id) => byId(id, HTMLInputElement);
export const button = (/** @type {string} */ id) => byId(id, HTMLButtonElement);
export const choice = (/** @type {string} */ id) => byId(id, HTMLSelectElement);
export const block = (/** @type {string} */ id) => byId(id, HTMLElement);

export class Drawing {
  /** @param {Words} words @param {State} state */
  constructor(words, state) {
    this.words = words;
    this.state = state;
    this.layers = new Layers(block('layers'), {
      words,
      part: (side, name, region) => this.part(side, name, region),
      open: (entry, side) => this.openEntry(entry, side),
    });
    /** @type {import('./address.js').Place} */
    this.place = {
      training: 0,
      step: this.state.trainings[0].steps,
      against: null,
      detail: '',
      focus: '',
      language: '',
      numerals: '',
      ...fromFragment(location.hash),
    };
    this.first = 0;
    /** @type {any} */
    this.shown = null;
    /** @type {any} */
    this.beside = null;
    /** @type {any} */
    this.difference = null;
    /** @type {any} */
    this.batch = null;
    /** @type {any} */
    this.why = null;
    /** @type {any} */
    this.epoch = null;
  }

  /** @returns {Training} */
  get training() {
    return this.state.trainings[this.place.training];
  }

  /** Keeps every number within what there is. */
  settle() {
    const { place, state } = this;
    const within = (/** @type {number} */ step, /** @type {number} */ most) => Math.min(Math.max(1, Math.round(step) || 1), most);
    if (!state.trainings[place.training]) place.training = 0;
    place.step = within(place.step, this.training.steps);
    const other = place.against && state.trainings[place.against.training];
    if (!place.against || !other) place.against = null;
    else place.against.step = within(place.against.step, other.steps);
    this.words.language = place.language || state.language;
    this.words.numerals = place.numerals;
    document.documentElement.lang = this.words.language;
  }

  /** The trainings as they stand now. @param {State} state */
  renew(state) {
    this.state = state;
    this.settle();
  }

  // ---- what the reader asks for: see walk.js

  /** @param {Partial<import('./address.js').Place>} change @returns {Promise<void>} */
  async go(change) {
    Object.assign(this.place, change);
  }

  /** @param {Side} side @param {string} name @param {string} region @returns {Promise<import('./heat.js').Heat | null>} */
  async part(side, name, region) {
    throw new Error(`nobody to ask for ${name} ${region} of step ${side.step}`);
  }

  /** @param {string} entry @param {Side} side */
  openEntry(entry, side) {
    throw new Error(`nobody to open ${entry} of step ${side.step}`);
  }

  // ---- drawing

  drawAll() {
    this.words.fill(document);
    this.drawHead();
    this.drawControls();
    this.drawCurve();
    if (!this.shown) return;
    this.drawStep();
    this.drawBatch();
    this.drawEpoch();
    if (this.why) this.drawWhy();
  }

  drawHead() {
    const { words, training } = this;
    const title = training.target ? words.say('walk_title_of', { target: training.target }) : words.say('walk_title');
    block('title').textContent = title;
    document.title = `${title} · handgrad`;
    const fill = {
      sizes: words.digits(training.sizes.join('-')),
      parameters: words.count(training.parameters),
      optimizer: words.say(`optimizer:${training.optimizer}`),
      batch: words.count(training.batch_size),
      steps: words.count(training.steps),
      epochs: words.count(training.epochs),
      engine: training.engine,
      dtype: training.dtype,
    };
    const more = [];
    if (training.best_epoch) more.push(words.say('walk_restored', { epoch: words.count(training.best_epoch) }));
    block('facts').textContent = [`${training.name}: ${words.say('walk_facts', fill)}.`, ...more].join(' ');
  }

  drawControls() {
    const { words, place, training, state } = this;
    for (const id of ['slider', 'number']) Object.assign(input(id), { max: String(training.steps), value: String(place.step) });
    const per = training.steps_per_epoch;
    const [epoch, batch] = [Math.floor((place.step - 1) / per) + 1, ((place.step - 1) % per) + 1];
    const step = words.say('walk_step_of', { step: words.count(place.step), steps: words.count(training.steps) });
    const of = words.say('walk_epoch_of', { epoch: words.count(epoch), batch: words.count(batch) });
    block('where').textContent = `${step}; ${of}`;
    input('slider').setAttribute('aria-valuetext', `${step}; ${of}`);
    for (const id of ['first', 'back']) button(id).disabled = place.step <= 1;
    for (const id of ['forward', 'last']) button(id).disabled = place.step >= training.steps;
    block('choose-training').hidden = state.trainings.length < 2;
    const names = state.trainings.map((one) => one.name);
    options(
      choice('training'),
      names.map((name, k) => [String(k), name]),
      String(place.training),
    );
    const others = names.map(
      (name, k) => /** @type {[string, string]} */ ([String(k), k === place.training ? words.say('walk_itself') : name]),
    );
    const against = place.against;
    options(choice('against'), [['', words.say('walk_nothing')], ...others], against ? String(against.training) : '');
    block('other').hidden = !against;
    if (against)
      Object.assign(input('other-number'), { max: String(state.trainings[against.training].steps), value: String(against.step) });
    choice('language').value = words.language;
    choice('numerals').value = words.numerals;
    block('following').hidden = !state.progress;
    choice('detail').value = place.detail || 'brief';
    input('focus').value = place.focus;
    button('unfocus').hidden = !place.focus;
    block('sheet-title').textContent = words.say('walk_sheet', { step: words.count(place.step) });
  }

  /** The loss over all steps: each epoch at its last step. */
  drawCurve() {
    const { words, place } = this;
    const second =
      place.against && place.against.training !== place.training ? this.state.trainings[place.against.training] : null;
    const of = (/** @type {Training} */ training, /** @type {string} */ kind, /** @type {string} */ name) => [
      {
        points: training.history.map((line) => /** @type {[number, number | null]} */ ([line.steps, line.loss])),
        kind,
        label: `${name}${words.say('walk_on_training')}`,
      },
      {
        points: training.history.map((line) => /** @type {[number, number | null]} */ ([line.steps, line.validation])),
        kind: `${kind} validation`,
        label: training.history.some((line) => line.validation !== null) ? `${name}${words.say('walk_on_validation')}` : '',
      },
    ];
    const series = [
      ...of(this.training, '', second ? `${this.training.name}: ` : ''),
      ...(second ? of(second, 'second', `${second.name}: `) : []),
    ];
    const marks = [{ x: place.step, kind: '' }, ...(place.against ? [{ x: place.against.step, kind: 'second' }] : [])];
    const history = this.training.history;
    const said = {
      label: words.say('walk_curve_of', { first: words.number(history[0]?.loss), last: words.number(history.at(-1)?.loss) }),
      from: 1,
      write: (/** @type {number} */ value) => words.number(value),
      count: (/** @type {number} */ value) => words.count(value),
    };
    const scale = drawCurves(block('curve'), series, marks, said, (step) => this.go({ step }));
    const notes = [];
    if (scale.log) notes.push(words.say('walk_log'));
    if (this.training.every > 1) notes.push(words.say('walk_thinned', { every: words.count(this.training.every) }));
    block('curve-note').textContent = notes.join(' ');
  }

  drawEpoch() {
    const { words, epoch, place } = this;
    if (!epoch) return;
    const number = words.count(epoch.number);
    const points = epoch.losses.map((/** @type {number | null} */ loss, /** @type {number} */ k) => [
      epoch.first + k * epoch.every,
      loss,
    ]);
    const said = {
      label: words.say('walk_epoch_curve_of', { epoch: number }),
      write: (/** @type {number} */ value) => words.number(value),
      count: (/** @type {number} */ value) => words.count(value),
    };
    const series = [{ points, kind: '', label: words.say('walk_epoch_curve', { epoch: number }) }];
    const scale = drawCurves(block('epoch-curve'), series, [{ x: place.step, kind: '' }], said, (step) => this.go({ step }));
    block('epoch-note').textContent = scale.log ? words.say('walk_log') : '';
  }

  drawStep() {
    const { place } = this;
    const numbers = [{ side: 'this', numbers: this.shown.numbers }];
    if (this.beside) numbers.push({ side: 'other', numbers: this.beside.numbers });
    block('numbers').innerHTML = numbersTable(this.words, numbers);
    /** @type {Side[]} */
    const sides = [{ side: this.beside ? 'this' : '', layers: this.shown.layers, training: place.training, step: place.step }];
    if (this.beside && place.against) {
      sides.push({ side: 'other', layers: this.beside.layers, ...place.against });
      const minus = `${place.against.training},${place.against.step}`;
      if (this.difference)
        sides.push({ side: 'difference', layers: this.difference.layers, minus, training: place.training, step: place.step });
    }
    this.layers.show(sides);
    reach();
  }

  drawBatch() {
    const { words, batch } = this;
    if (!batch) return;
    const last = batch.first + batch.rows.length;
    const fill = { first: words.count(batch.first + 1), last: words.count(last), count: words.count(batch.samples) };
    block('batch-note').textContent = words.say('walk_batch_of', fill);
    block('batch').innerHTML = batchTable(words, batch, this.training.rows);
    button('earlier').disabled = batch.first === 0;
    button('later').disabled = last >= batch.samples;
    const single = batch.first === 0 && last >= batch.samples;
    button('earlier').hidden = button('later').hidden = single;
    block('why').hidden = !this.why;
    reach();
  }

  drawWhy() {
    const box = block('why');
    box.innerHTML = whyTable(this.words, this.why);
    box.hidden = false;
    stretchBars(box);
    reach();
  }
}

/** @param {HTMLSelectElement} select @param {string[][]} pairs @param {string} chosen */
function options(select, pairs, chosen) {
  const wanted = JSON.stringify(pairs);
  if (select.dataset.made !== wanted) {
    select.replaceChildren(...pairs.map(([value, label]) => new Option(label, value)));
    select.dataset.made = wanted;
  }
  select.value = chosen;
}
