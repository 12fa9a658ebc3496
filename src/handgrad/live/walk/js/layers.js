// The layers of a step, or of two beside each other: heat maps of weights, gradients, updates, activations; idle units.
import { HeatMap, around, cellSize, palette } from './heat.js';

/** @typedef {import('./heat.js').Heat} Heat */
/** @typedef {{dead: number[], saturated: number[], share: number}} Idle */
/** @typedef {{layer: number, activation: string, units: number, maps: Record<string, Heat[]>, ratio: number | null, idle: Idle | null}} Layer */
/** @typedef {{side: string, layers: Layer[], minus?: string, training: number, step: number}} Side */
/**
 * What the layers need of the page: words, a region of a map, an entry for the sheet.
 * @typedef {{words: import('./words.js').Words, part: (side: Side, name: string, region: string) => Promise<Heat | null>,
 *   open: (entry: string, side: Side) => void}} Host
 */

const KINDS = ['weights', 'gradients', 'updates', 'activations'];
const MOST = { rows: 64, columns: 64 };
const LISTED = 12;

export class Layers {
  /** @param {HTMLElement} root @param {Host} host */
  constructor(root, host) {
    this.root = root;
    this.host = host;
    /** What the elements were made for. */
    this.made = '';
    /** @type {Map<string, HeatMap>} */
    this.maps = new Map();
    /** Regions that are opened, by side and name. @type {Map<string, string>} */
    this.regions = new Map();
    /** @type {Side[]} */
    this.sides = [];
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.paint());
  }

  /** @param {Side[]} sides */
  show(sides) {
    this.sides = sides;
    const shape = JSON.stringify(
      sides.map((s) => [s.side, s.layers.map((l) => KINDS.map((kind) => l.maps[kind].map((m) => [m.name, m.rows])))]),
    );
    if (shape !== this.made) this.make(sides);
    this.made = shape;
    this.paint();
    for (const side of sides) for (const name of this.names(side)) this.reopen(side, name);
  }

  /** @param {Side} side */
  names(side) {
    return side.layers.flatMap((layer) => KINDS.flatMap((kind) => layer.maps[kind].map((map) => map.name)));
  }

  /** @param {Side[]} sides */
  make(sides) {
    this.maps.clear();
    this.regions.clear();
    const most = Math.max(...sides.map((side) => side.layers.length));
    this.root.replaceChildren(...Array.from({ length: most }, (_, place) => this.layer(sides, place)));
  }

  /** @param {Side[]} sides @param {number} place */
  layer(sides, place) {
    const article = made('article', 'layer');
    article.append(made('h3', 'name'));
    for (const side of sides) {
      if (!side.layers[place]) continue;
      const about = made('div', 'about');
      about.dataset.side = side.side;
      article.append(about);
    }
    const grid = made('div', 'maps');
    for (const kind of KINDS) grid.append(this.kind(sides, place, kind));
    article.append(grid);
    return article;
  }

  /** @param {Side[]} sides @param {number} place @param {string} kind */
  kind(sides, place, kind) {
    const figure = made('figure', 'kind');
    figure.dataset.kind = kind;
    figure.append(made('figcaption', ''));
    for (const side of sides) {
      const heats = side.layers[place]?.maps[kind] ?? [];
      if (!heats.length) continue;
      if (side.side) {
        const words = made('div', 'side');
        words.dataset.say = `walk_${side.side}`;
        figure.append(words);
      }
      const told = made('output', 'told');
      const whole = made('button', 'whole');
      whole.setAttribute('type', 'button');
      whole.dataset.say = 'walk_whole';
      whole.hidden = true;
      const pieces = made('div', 'pieces');
      if (kind === 'activations' && !side.minus) {
        const marks = made('canvas', 'heat marks');
        marks.setAttribute('aria-hidden', 'true');
        marks.dataset.marks = `${side.side}:${place}`;
        pieces.append(marks);
      }
      for (const { name } of heats) {
        const map = new HeatMap(
          (m) => {
            told.textContent = this.told(m);
          },
          (m) => this.open(side.side, name, m),
        );
        this.maps.set(`${side.side}:${name}`, map);
        pieces.append(map.element);
        whole.addEventListener('click', () => {
          this.regions.delete(`${side.side}:${name}`);
          whole.hidden = true;
          this.paint();
          map.element.focus();
        });
      }
      figure.append(pieces, whole, told);
    }
    return figure;
  }

  paint() {
    const { words } = this.host;
    const colours = palette();
    for (const [place, article] of [...this.root.children].entries()) {
      const known = this.sides.find((side) => side.layers[place]);
      if (!known) continue;
      const layer = known.layers[place];
      text(
        article,
        'h3',
        words.say('walk_layer', {
          layer: words.digits(layer.layer),
          units: words.count(layer.units),
          activation: words.say(`activation:${layer.activation}`),
        }),
      );
      for (const side of this.sides) this.about(article, side, place);
      for (const figure of article.querySelectorAll('figure')) this.caption(figure, place);
    }
    words.fill(this.root);
    for (const side of this.sides) {
      for (const layer of side.layers) {
        for (const kind of KINDS) {
          const scale = this.largest(layer.layer - 1, kind, Boolean(side.minus));
          const high = Math.min(...layer.maps[kind].map((heat) => cellSize(heat).high)); // a bias stands beside its weights
          for (const heat of layer.maps[kind]) {
            if (this.regions.has(`${side.side}:${heat.name}`)) continue;
            this.map(side, heat.name)?.show(heat, scale, colours, this.label(kind, heat), high);
          }
        }
        this.marks(side, layer, colours);
      }
    }
  }

  /** The largest number of a kind in a layer: both sides have one scale, a difference has its own. @param {number} place @param {string} kind @param {boolean} difference */
  largest(place, kind, difference) {
    const heats = this.sides
      .filter((side) => Boolean(side.minus) === difference)
      .flatMap((side) => side.layers[place]?.maps[kind] ?? []);
    return Math.max(0, ...heats.map((heat) => heat.largest ?? 0));
  }

  /** @param {Side} side @param {string} name */
  map(side, name) {
    return this.maps.get(`${side.side}:${name}`);
  }

  /** @param {string} kind @param {Heat} heat */
  label(kind, heat) {
    const { words } = this.host;
    const [rows, columns] = [words.count(heat.rows), words.count(heat.columns)];
    return words.say('walk_map', { what: words.say(`walk_${kind}`), name: heat.name, rows, columns });
  }

  /** @param {Element} figure @param {number} place */
  caption(figure, place) {
    const { words } = this.host;
    const kind = /** @type {HTMLElement} */ (figure).dataset.kind ?? '';
    const heats = this.sides.flatMap((side) => (side.minus ? [] : (side.layers[place]?.maps[kind] ?? [])));
    const largest = words.say('walk_largest', { value: words.number(this.largest(place, kind, false)) });
    const unbounded = heats.reduce((sum, heat) => sum + heat.unbounded, 0);
    const names = [...new Set(heats.map((heat) => heat.name.replace('_change', '')))].join(', ');
    const said = [`${words.say(`walk_${kind}`)} ${names}`, largest];
    if (unbounded) said.push(words.say('walk_unbounded', { count: words.count(unbounded) }));
    text(figure, 'figcaption', said.join(' · '));
  }

  /** The ratio of the update, the idle units. @param {Element} article @param {Side} side @param {number} place */
  about(article, side, place) {
    const about = article.querySelector(`.about[data-side="${side.side}"]`);
    const layer = side.layers[place];
    if (!about || !layer || side.minus) return;
    const { words } = this.host;
    /** @type {[string, string][]} */
    const lines = [];
    if (layer.ratio !== null) lines.push([words.say('walk_ratio', { ratio: words.number(layer.ratio) }), '']);
    const idle = layer.idle;
    const listed = (/** @type {number[]} */ units) => {
      const some = units
        .slice(0, LISTED)
        .map((unit) => words.digits(unit))
        .join(', ');
      return units.length > LISTED ? `${some}, ${words.say('walk_more', { count: words.count(units.length - LISTED) })}` : some;
    };
    for (const state of /** @type {const} */ (['dead', 'saturated'])) {
      const units = idle?.[state] ?? [];
      if (!units.length) continue;
      const fill = { count: words.count(units.length), units: words.count(layer.units), which: listed(units) };
      lines.push([words.say(`walk_${state}`, fill), 'idle']);
    }
    if (idle && !idle.dead.length && !idle.saturated.length) lines.push([words.say('walk_alive'), '']);
    const prefix = side.side ? `${words.say(`walk_${side.side}`)}: ` : '';
    about.replaceChildren(
      ...lines.map(([line, kind]) => {
        const p = made('p', kind);
        p.textContent = prefix + line;
        return p;
      }),
    );
  }

  /** Beside the activations: which units are dead (dark) or saturated (pale). @param {Side} side @param {Layer} layer @param {ReturnType<typeof palette>} colours */
  marks(side, layer, colours) {
    const canvas = this.root.querySelector(`canvas[data-marks="${side.side}:${layer.layer - 1}"]`);
    const [heat] = layer.maps.activations;
    if (!(canvas instanceof HTMLCanvasElement) || !heat) return;
    const map = this.map(side, heat.name);
    const shown = map?.heat ?? heat;
    canvas.hidden = !layer.idle || !(layer.idle.dead.length + layer.idle.saturated.length);
    canvas.width = 1;
    canvas.height = shown.cells.length;
    canvas.style.width = '6px';
    canvas.style.height = map?.element.style.height ?? '';
    const context = canvas.getContext('2d');
    if (!context || !layer.idle) return;
    for (const [units, opacity] of /** @type {[number[], number][]} */ ([
      [layer.idle.saturated, 0.4],
      [layer.idle.dead, 1],
    ])) {
      context.fillStyle = `rgba(${colours.ink.join(',')},${opacity})`;
      for (const unit of units) {
        const row = Math.floor((unit - shown.top) / shown.down);
        if (unit >= shown.top && unit < shown.bottom) context.fillRect(0, row, 1, 1);
      }
    }
  }

  /** @param {HeatMap} map */
  told(map) {
    const { words } = this.host;
    const [here, heat] = [map.here, map.heat];
    if (!here || !heat) return '';
    const single = here.bottom - here.top === 1 && here.right - here.left === 1;
    if (single) return `${this.entry(heat, here.top, here.left)} = ${words.number(here.value)}`;
    const places = { top: here.top, bottom: here.bottom - 1, left: here.left, right: here.right - 1 };
    const fill = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, words.digits(place)]));
    return words.say('walk_block', { name: heat.name, ...fill, value: words.number(here.value) });
  }

  /** The name of an entry; a bias has one place, an activation its unit and its sample. @param {Heat} heat @param {number} row @param {number} column */
  entry(heat, row, column) {
    const { words } = this.host;
    const places = /^d?b/.test(heat.name) ? [row] : [row, column];
    return `${heat.name.replace('_change', ' (update)')}[${places.map((p) => words.digits(p)).join(',')}]`;
  }

  /** A block opens, a number goes to the sheet. @param {string} name @param {string} sideName @param {HeatMap} map */
  async open(sideName, name, map) {
    const [here, heat] = [map.here, map.heat];
    const side = this.sides.find((s) => s.side === sideName);
    if (!here || !heat || !side) return;
    if (here.bottom - here.top > 1 || here.right - here.left > 1) {
      this.regions.set(`${sideName}:${name}`, around(heat, here, MOST));
      await this.reopen(side, name);
      return;
    }
    const plain = name.replace(/^d(?=[Wb])/, '').replace('_change', '');
    this.host.open(/^[ba]/.test(plain) ? `${plain}[${here.top}]` : `${plain}[${here.top},${here.left}]`, side);
  }

  /** Shows the region of a map that was opened. @param {Side} side @param {string} name */
  async reopen(side, name) {
    const key = `${side.side}:${name}`;
    const region = this.regions.get(key);
    if (!region) return;
    const heat = await this.host.part(side, name, region);
    const map = this.maps.get(key);
    if (!heat || !map || this.regions.get(key) !== region) return;
    const kind = KINDS.find((k) => side.layers.some((layer) => layer.maps[k].some((m) => m.name === name))) ?? '';
    const place = side.layers.findIndex((layer) => layer.maps[kind].some((m) => m.name === name));
    const colours = palette();
    map.show(heat, this.largest(place, kind, Boolean(side.minus)), colours, this.label(kind, heat));
    if (kind === 'activations') this.marks(side, side.layers[place], colours);
    const whole = map.element.closest('.pieces')?.nextElementSibling;
    if (whole instanceof HTMLElement) whole.hidden = false;
  }
}

/** @param {string} tag @param {string} className */
function made(tag, className) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

/** @param {Element} root @param {string} selector @param {string} words */
function text(root, selector, words) {
  const found = root.querySelector(selector);
  if (found && found.textContent !== words) found.textContent = words;
}
