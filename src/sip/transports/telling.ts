/** Calls into listeners that must not be able to harm a flow: what they throw goes to `onFault`, and no further. */

import type { Flow, FlowEvents } from './flow.js';

/** `onError` after the caller has returned. */
export function failLater(events: FlowEvents, onError: (error: Error) => void, error: Error): void {
  queueMicrotask(() => {
    failNow(events, onError, error);
  });
}

export function failNow(events: FlowEvents, onError: (error: Error) => void, error: Error): void {
  try {
    onError(error);
  } catch (thrown) {
    reportTo(events, thrown);
  }
}

export function tellMessage(events: FlowEvents, flow: Flow, bytes: Buffer): void {
  try {
    events.onMessage(flow, bytes);
  } catch (thrown) {
    reportTo(events, thrown);
  }
}

export function tellClosed(events: FlowEvents, flow: Flow, why: string): void {
  try {
    events.onClosed(flow, why);
  } catch (thrown) {
    reportTo(events, thrown);
  }
}

export function tellDropped(events: FlowEvents, kind: 'unparsable' | 'connection', address: string, why: string): void {
  try {
    events.onDropped?.(kind, address, why);
  } catch (thrown) {
    reportTo(events, thrown);
  }
}

export function reportTo(events: FlowEvents, thrown: unknown): void {
  try {
    events.onFault?.(thrown instanceof Error ? thrown : new Error(String(thrown)));
  } catch {
    // A listener for faults that throws has nobody left to be told.
  }
}
