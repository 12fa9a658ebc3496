// The live sheet in a notebook: the page in a frame of its own, its state the model's, in both directions.

/** @typedef {{step: number, edits: [string, number[], number][]}} State */
/** @typedef {{get: (name: string) => any, set: (name: string, value: any) => void, save_changes: () => void, on: (event: string, act: () => void) => void, off: (event: string, act: () => void) => void}} Model */

/** @param {{model: Model, el: HTMLElement}} place */
async function render({ model, el }) {
  const frame = document.createElement('iframe');
  frame.title = model.get('title');
  frame.srcdoc = model.get('page');
  Object.assign(frame.style, { width: '100%', height: `${model.get('height')}px`, border: '0' });
  const loaded = new Promise((done) => frame.addEventListener('load', done, { once: true }));
  el.append(frame);
  await loaded;
  const page = /** @type {any} */ (frame.contentWindow);
  await page.handgrad.ready;
  const known = () => JSON.stringify([model.get('step'), model.get('edits')]);
  const fromPage = () => {
    const { step, edits } = page.handgrad.state();
    model.set('step', step);
    model.set('edits', edits);
    model.set('quantities', page.handgrad.quantities());
    model.save_changes();
  };
  const toPage = () => {
    const { step, edits } = page.handgrad.state();
    if (known() === JSON.stringify([step, edits])) return;
    page.handgrad.restore({ step: model.get('step'), edits: model.get('edits') });
  };
  toPage();
  fromPage();
  page.addEventListener('handgrad', fromPage);
  for (const name of ['step', 'edits']) model.on(`change:${name}`, toPage);
  return () => {
    for (const name of ['step', 'edits']) model.off(`change:${name}`, toPage);
  };
}

export default { render };
