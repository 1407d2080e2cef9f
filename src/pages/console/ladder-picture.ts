/**
 * The server's drawing of a ladder as a part of the page: without its own style, which the policy of the page forbids, and with steps that
 * the keyboard reaches. Only what a drawing is made of is taken over.
 */

const elements = new Set(['svg', 'g', 'line', 'polygon', 'rect', 'text', 'title']);

/** @returns undefined when it is no drawing */
export function pictureOf(svg: string): SVGSVGElement | undefined {
  // Before it is parsed, for a browser tells of each style that it does not apply.
  const bare = svg.replace(/<style>[^<]*<\/style>/, '');
  const { documentElement: root } = new DOMParser().parseFromString(bare, 'image/svg+xml');
  if (!(root instanceof SVGSVGElement)) return undefined;
  for (const element of root.querySelectorAll('*')) if (!elements.has(element.localName)) element.remove();
  root.setAttribute('role', 'group');
  for (const step of stepsOf(root)) {
    step.setAttribute('role', 'button');
    // Its name says all of it.
    for (const text of step.querySelectorAll('text')) text.setAttribute('aria-hidden', 'true');
  }
  return root;
}

/** Marks the step that is chosen: the only one that Tab stops at. @param names what each is called by who listens to the page */
export function markStep(picture: SVGSVGElement, chosen: number, names: readonly string[]): void {
  stepsOf(picture).forEach((step, index) => {
    step.setAttribute('tabindex', index === chosen ? '0' : '-1');
    step.setAttribute('aria-pressed', String(index === chosen));
    step.setAttribute('aria-label', names[index] ?? '');
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

function stepsOf(picture: SVGSVGElement): SVGGElement[] {
  return [...picture.querySelectorAll<SVGGElement>('g[data-step]')];
}
