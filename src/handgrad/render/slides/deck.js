/* The deck: arrow keys, space, Home and End, buttons, a swipe; the address remembers the frame. */
const all = [...document.querySelectorAll(".frame")];
const [back, on] = document.querySelectorAll(".bar button");
const bar = document.querySelector(".bar progress");
const count = document.querySelector(".bar output");
let now = 0;
const go = place => {
  const next = Math.max(0, Math.min(all.length - 1, place));
  document.body.style.setProperty("--way", next < now ? "-1.5rem" : "1.5rem");
  now = next;
  all.forEach((frame, index) => frame.classList.toggle("now", index === now));
  const lit = (all[now].dataset.lit ?? "").split(" ");
  all[now].querySelectorAll("svg [data-q]").forEach(shape => shape.classList.toggle("lit", lit.includes(shape.dataset.q)));
  bar.value = now + 1;
  count.textContent = `${number(now + 1)} / ${number(all.length)}`;
  back.disabled = now === 0;
  on.disabled = now === all.length - 1;
  history.replaceState(null, "", `#${now + 1}`);
  scrollTo(0, 0);
};
const number = value => value.toLocaleString(document.documentElement.dataset.numerals || "en-u-nu-latn");
const ways = {
  ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, Enter: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Backspace: -1,
  Home: -Infinity, End: Infinity,
};
addEventListener("keydown", event => {
  const way = ways[event.key];
  if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target.closest("button") && (event.key === " " || event.key === "Enter")) return;
  event.preventDefault();
  go(now + (event.shiftKey && event.key === " " ? -1 : way));
});
back.addEventListener("click", () => go(now - 1));
on.addEventListener("click", () => go(now + 1));
let touched;
addEventListener("touchstart", event => { touched = event.changedTouches[0]; }, { passive: true });
addEventListener("touchend", event => {
  const [x, y] = [event.changedTouches[0].clientX - touched.clientX, event.changedTouches[0].clientY - touched.clientY];
  if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) go(now - Math.sign(x));
}, { passive: true });
addEventListener("hashchange", () => go(Number(location.hash.slice(1)) - 1 || 0));
document.body.classList.add("played");
go(Number(location.hash.slice(1)) - 1 || 0);
