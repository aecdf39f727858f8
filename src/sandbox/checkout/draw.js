/** Puts steps on the page. Everything goes in as text, never as markup. */

function element(name, className, text = '') {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}

/** Touches only what changed: an opened body stays open, and a reader is not read to twice. */
export function drawTimeline(list, steps) {
  const there = new Map([...list.children].map((item) => [item.dataset.key, item]));
  steps.forEach((step, index) => {
    const signature = JSON.stringify(step);
    let item = there.get(step.key);
    there.delete(step.key);
    if (item === undefined || item.dataset.signature !== signature) {
      const open = item?.querySelector('details')?.open ?? step.open === true;
      const fresh = drawStep(step, signature, open);
      item?.replaceWith(fresh);
      item = fresh;
    }
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  for (const item of there.values()) item.remove();
}

function drawStep(step, signature, open) {
  const item = element('li', `step ${step.tone}`);
  item.dataset.key = step.key;
  item.dataset.signature = signature;
  const head = element('div', 'step-head');
  head.append(element('strong', '', step.title));
  if (step.aside) head.append(element('span', 'aside', step.aside));
  item.append(head);
  if (step.detail) item.append(element('p', 'step-detail', step.detail));
  if (step.body) {
    const details = element('details', 'body');
    details.open = open;
    const code = element('pre', '', step.body);
    // So that a long body can be scrolled from the keyboard.
    code.tabIndex = 0;
    details.append(element('summary', '', step.summary), code);
    item.append(details);
  }
  return item;
}
