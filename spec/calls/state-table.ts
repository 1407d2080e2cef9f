/** Reading tables of states for specs, whatever their states are called. */
interface AnyStep {
  readonly next: string;
  readonly actions: readonly string[];
}

export interface AnyTable {
  readonly initial: string;
  readonly guards: Readonly<Record<string, string>>;
  readonly steps: Readonly<Record<string, Readonly<Partial<Record<string, AnyStep>>>>>;
}

/** `state event -> next [actions]`, a line a row. */
export function rowsOf(table: AnyTable): string[] {
  return Object.entries(table.steps).flatMap(([state, steps]) =>
    Object.entries(steps).map(([event, step]) => `${state} ${event} -> ${step?.next ?? ''} [${step?.actions.join(' ') ?? ''}]`),
  );
}

export function eventsOf(table: AnyTable): string[] {
  return [...new Set(Object.values(table.steps).flatMap((steps) => Object.keys(steps)))];
}

/** The steps that these events lead through; those without a row lead nowhere. */
export function runTable(table: AnyTable, events: readonly string[]): { event: string; state: string; actions: readonly string[] }[] {
  let state = table.initial;
  return events.flatMap((event) => {
    const step = table.steps[state]?.[event];
    if (step === undefined) return [];
    state = step.next;
    return [{ event, state, actions: step.actions }];
  });
}
