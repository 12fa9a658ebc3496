/* A quantity under the pointer, touched, or reached by the keyboard shows its equation, its value, where it came
   from and where it goes; its edge or unit in the figure lights up. Everything is read from the page itself. */
const card = document.getElementById("origin");
const found = [];
let step = 0;
for (const each of document.querySelectorAll('[id^="step-of"], .formula[data-target]')) {
  if (each.id.startsWith("step-of")) step += 1;
  else found.push({ step, name: each.dataset.target, at: each });
}
const stepOf = place => found.reduce((last, each) =>
  each.at === place || each.at.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_FOLLOWING ? each.step : last, 0);
/* of several equations of one quantity the one that is worked out, then one with a value, then a rule */
const worth = each => (each.at.querySelector(".forms > math:not(.letters)") ? 2 : 0)
  + (each.at.querySelector(".forms > math.letters") ? 1 : 0);
const best = (name, within) => found.filter(each => each.name === name && each.step === within)
  .reduce((chosen, each) => chosen && worth(chosen) >= worth(each) ? chosen : each, undefined);
const formulaOf = (name, within) => best(name, within) ?? best(`${name}_new`, within - 1) ?? best(name, 0);
const letters = formula => formula.at.querySelectorAll(".letters [data-q]");
const namesIn = formula => [...new Set([...letters(formula)].map(each => each.dataset.q))];
const unique = names => [...new Set(names)];
/* a letter as it is written somewhere on the page; a whole quantity rather than one of its entries */
const letterOf = name => {
  const written = [...document.querySelectorAll(`main [data-q="${CSS.escape(name)}"]`)].filter(each => each.closest("math"));
  const chosen = written.find(each => !each.dataset.entry) ?? written[0];
  if (!chosen) return undefined;
  const math = chosen.closest("math").cloneNode(false);
  math.append(chosen.cloneNode(true));
  return math;
};
const row = (label, parts) => {
  if (!parts.length) return;
  const line = document.createElement("p");
  const head = document.createElement("b");
  head.textContent = label;
  line.append(head, " ", ...parts.flatMap(part => [part, " "]));
  card.append(line);
};
const button = (name, within) => {
  const letter = letterOf(name);
  if (!letter) return undefined;
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.to = name;
  made.append(letter);
  let waiting;
  made.addEventListener("click", () => show(name, within));
  made.addEventListener("pointerenter", event => {
    if (event.pointerType === "mouse") waiting = setTimeout(() => show(name, within), 300);
  });
  made.addEventListener("pointerleave", () => clearTimeout(waiting));
  return made;
};
/* which shapes of the figure stand for a quantity: a gradient for its parameter, a sum or an error for its unit */
const inFigure = name => name.replace(/^d(?=[Wb]\d)/, "").replace(/_.*/, "").replace(/^(z|delta|derivative|da|f)(?=\d)/, "a");
const light = (name, entry) => {
  document.querySelectorAll(".lit").forEach(each => each.classList.remove("lit"));
  if (!name) return;
  document.querySelectorAll(`main math [data-q="${CSS.escape(name)}"]`).forEach(each => each.classList.add("lit"));
  const shapes = [...document.querySelectorAll("svg [data-q]")].filter(each =>
    each.dataset.q === inFigure(name) || each.dataset.also === inFigure(name));
  const chosen = shapes.filter(each => entry && each.dataset.entry === entry);
  (chosen.length ? chosen : shapes).forEach(each => each.classList.add("lit"));
};
const show = (name, within, entry) => {
  const formula = formulaOf(name, within);
  const letter = letterOf(name);
  if (!letter) return;
  const sources = formula ? namesIn(formula).filter(each => each !== name) : [];
  const uses = unique(found.filter(each => each.step === within && each.name !== name && namesIn(each).includes(name))
    .map(each => each.name));
  const gradient = found.some(each => each.name === `d${name}`) ? [`d${name}`] : [];
  const loss = /^(d[Wbaxy]|delta)/.test(name) ? ["loss"] : [];
  const buttons = names => names.map(each => button(each, within)).filter(Boolean);
  card.replaceChildren();
  card.dataset.q = name;
  const pieces = formula ? [...formula.at.querySelectorAll(".forms > math")] : [];
  const copied = pieces.map(each => each.cloneNode(true));
  const equation = copied.filter((_, place) => pieces[place].classList.contains("letters"));
  const value = copied.filter((_, place) => !pieces[place].classList.contains("letters")).slice(-1);
  row(say.equation, [letter, ...equation]);
  row(say.value, value);
  row(say.from, buttons(sources));
  row(say.to, buttons(uses));
  row(say.gradient, buttons(gradient));
  row(say.of, buttons(loss));
  card.hidden = false;
  light(name, entry);
};
const hide = () => { card.hidden = true; light(); };
const quantityAt = target => target.closest?.("main [data-q], main .formula[data-target] > math");
const open = target => {
  const at = quantityAt(target);
  if (!at) return false;
  const formula = at.closest(".formula[data-target]");
  show(at.dataset.q ?? formula.dataset.target, stepOf(at), at.dataset.entry);
  return true;
};
let leaving;
document.addEventListener("pointerover", event => {
  if (event.pointerType !== "mouse") return;
  clearTimeout(leaving);
  if (card.contains(event.target) || open(event.target)) return;
  if (!card.hidden) leaving = setTimeout(hide, 600);
});
document.addEventListener("click", event => {
  if (!card.contains(event.target) && !open(event.target)) hide();
});
/* one stop of the tabulator for all equations; the arrows go from one to the next */
found.forEach((each, place) => { each.at.tabIndex = place ? -1 : 0; });
document.addEventListener("keydown", event => {
  if (event.key === "Escape") hide();
  const place = found.findIndex(each => each.at === document.activeElement);
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (place < 0 || !way || !found[place + way]) return;
  event.preventDefault();
  found[place].at.tabIndex = -1;
  found[place + way].at.tabIndex = 0;
  found[place + way].at.focus();
});
document.addEventListener("focusin", event => {
  const formula = event.target.matches(":focus-visible") && found.find(each => each.at === event.target);
  if (formula) show(formula.name, formula.step);
});
