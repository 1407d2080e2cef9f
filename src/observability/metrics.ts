/**
 * The numbers that this package shows to a monitoring system, all called `dialog_sip_*`. Whoever counts holds a plain number: adding one
 * to it costs nothing; prom-client reads the numbers when somebody asks for them.
 */
import { Counter, Gauge, Registry } from 'prom-client';

type MetricName = `dialog_sip_${string}`;

/** One number that only grows. */
class Tally {
  #value = 0;

  add(): void {
    this.#value += 1;
  }

  get value(): number {
    return this.#value;
  }
}

export class Metrics {
  readonly #registry = new Registry();

  /** For the answer that carries `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A counter for each value of one label; all of them are shown from the start, at 0. */
  counters<Value extends string>(name: MetricName, help: string, label: string, values: readonly Value[]): Readonly<Record<Value, Tally>> {
    const tallies = Object.fromEntries(values.map((value) => [value, new Tally()])) as Record<Value, Tally>;
    this.#registry.registerMetric(
      new Counter({
        name,
        help,
        labelNames: [label],
        registers: [],
        collect() {
          this.reset();
          for (const value of values) this.inc({ [label]: value }, tallies[value].value);
        },
      }),
    );
    return tallies;
  }

  /**
   * A counter with several labels, for what is rare enough to be looked up each time. A combination is shown once it was counted.
   * @returns counts one
   */
  counter<Label extends string>(name: MetricName, help: string, labels: readonly Label[]): (values: Readonly<Record<Label, string>>) => void {
    const counter = new Counter({ name, help, labelNames: [...labels], registers: [] });
    this.#registry.registerMetric(counter);
    return (values) => {
      counter.inc(values);
    };
  }

  /** A number for each value of one label, read when it is asked for. */
  gauges<Value extends string>(name: MetricName, help: string, label: string, read: () => Readonly<Record<Value, number>>): void {
    this.#registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers: [],
        collect() {
          for (const [value, number] of Object.entries<number>(read())) this.set({ [label]: value }, number);
        },
      }),
    );
  }

  /** All of them in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
