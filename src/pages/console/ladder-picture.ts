/**
 * The server's drawing of a ladder as a part of the page: without its own style, which the policy of the page forbids, and with steps that
 * the keyboard reaches. Only what a drawing is made of is taken over.
 */

const elements = new Set(['svg', 'g', 'line', 'polygon', 'rect', 'text']);

/** Of a row of the drawing, pixels: all of it is there to be clicked, not the strokes alone. */
const rowHeight = 30;
const aboveArrow = 21;

/**
 * @param ways what is said of each step to who cannot see where its arrow goes
 * @returns undefined when it is no drawing
 */
export function pictureOf(svg: string, ways: readonly string[]): SVGSVGElement | undefined {
  // Before it is parsed, for a browser tells of each style that it does not apply.
  const bare = svg.replace(/<style>[^<]*<\/style>/, '');
  const { documentElement: root } = new DOMParser().parseFromString(bare, 'image/svg+xml');
  if (!(root instanceof SVGSVGElement)) return undefined;
  for (const element of root.querySelectorAll('*')) if (!elements.has(element.localName)) element.remove();
  root.setAttribute('role', 'group');
  stepsOf(root).forEach((step, index) => {
    step.setAttribute('role', 'button');
    const y = Number(step.querySelector('line')?.getAttribute('y1'));
    const way = made('text', { class: 'way', x: 10, y });
    way.textContent = `${ways[index] ?? ''} `;
    step.prepend(made('rect', { class: 'row-of-step', x: 4, y: y - aboveArrow, width: '99%', height: rowHeight }), way);
  });
  return root;
}

/** Marks the step that is chosen: the only one that Tab stops at. */
export function markStep(picture: SVGSVGElement, chosen: number): void {
  stepsOf(picture).forEach((step, index) => {
    step.setAttribute('tabindex', index === chosen ? '0' : '-1');
    step.setAttribute('aria-pressed', String(index === chosen));
  });
}

export function focusStep(picture: SVGSVGElement, index: number): void {
  stepsOf(picture)[index]?.focus();
}

/** Which step an event happened on. */
export function stepAt(target: EventTarget | null): number | undefined {
  const step = target instanceof Element ? target.closest('[data-step]') : null;
  return step === null ? undefined : Number(step.getAttribute('data-step'));
}

function made(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [each, value] of Object.entries(attributes)) element.setAttribute(each, String(value));
  return element;
}

function stepsOf(picture: SVGSVGElement): SVGGElement[] {
  return [...picture.querySelectorAll<SVGGElement>('g[data-step]')];
}
