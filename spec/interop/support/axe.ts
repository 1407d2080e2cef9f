/** Faults that keep people with a screen reader, a keyboard or weak sight out of a page, as axe-core finds them. */
/// <reference lib="dom" />
import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** Those that axe calls serious or critical, each with the first element that has it. */
export async function graveFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe: inPage } = window as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string | null; nodes: { html: string }[] }[] }> } };
    return (await inPage.run()).violations;
  });
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
}
