// Another activation, loss or optimizer in the place of the case's own: its assignments replace those of the same group.
import { lettersOf } from './entries.js';

/** @typedef {import('./training.js').Assignment & {group?: string}} Assignment */
/** @typedef {import('./training.js').Program} Program */
/** @typedef {{programs: Record<string, Assignment[]>, start?: Record<string, any>, constants?: Record<string, number>, kinds?: Record<string, any>}} Variant */
/** @typedef {Record<string, Record<string, Variant>>} Variants */

/** The trees of the pool in the place of their numbers; a part stands before what it is part of. @param {any} data */
export function unpool(data) {
  /** @type {any[]} */
  const trees = [];
  /** @type {(part: any) => any} */
  const whole = (part) => {
    if (Array.isArray(part)) return part.map(whole);
    return part !== null && typeof part === 'object' ? trees[part.at] : part;
  };
  for (const tree of data.trees) {
    trees.push(Object.fromEntries(Object.entries(tree).map(([name, part]) => [name, whole(part)])));
  }
  const programs = [
    ...data.calculation.programs.map((/** @type {any} */ program) => program.assignments),
    ...Object.entries(data.variants).flatMap(([group, choices]) =>
      Object.values(choices).flatMap((choice) =>
        Object.values(choice.programs).map((program) =>
          program.map((/** @type {Assignment} */ line) => Object.assign(line, { group })),
        ),
      ),
    ),
  ];
  for (const assignment of programs.flat()) {
    assignment.letters = trees[assignment.letters];
    if (assignment.shown) assignment.shown = assignment.shown.map((/** @type {number} */ place) => trees[place]);
  }
  return data;
}

/** In an order in which everything is computed before it is used. @param {Assignment[]} assignments @returns {Assignment[]} */
export function ordered(assignments) {
  const byName = new Map(assignments.map((a) => [a.quantity, a]));
  /** @type {Assignment[]} */
  const out = [];
  const done = new Set();
  const visit = (/** @type {Assignment} */ a) => {
    if (done.has(a.quantity)) return;
    done.add(a.quantity);
    for (const letter of lettersOf(a.letters)) {
      const needed = byName.get(letter.name);
      if (needed) visit(needed);
    }
    out.push(a);
  };
  assignments.forEach(visit);
  return out;
}

/**
 * The calculation with what was chosen in the place of the case's own.
 * @param {import('./training.js').Calculation} calculation @param {Variants} variants @param {Record<string, string>} swap
 */
export function swapped(calculation, variants, swap) {
  let found = calculation;
  for (const [group, name] of Object.entries(swap)) {
    const variant = variants[group]?.[name];
    if (!variant) continue;
    const programs = found.programs.map((program) => ({
      ...program,
      assignments: ordered([
        ...program.assignments.filter((a) => /** @type {Assignment} */ (a).group !== group),
        ...(variant.programs[program.samples] ?? []),
      ]),
    }));
    const names = programs.flatMap((program) => program.assignments.map((a) => a.quantity));
    const start = { ...found.start, ...variant.start };
    const constants = { ...found.constants, ...variant.constants };
    const kinds = { ...found.kinds, ...variant.kinds };
    found = { ...found, programs, start, constants, kinds, quantities: [...new Set([...found.quantities, ...names])] };
  }
  return found;
}
