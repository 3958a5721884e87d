import { run } from './command.ts';

/** One host of the perimeter: a network namespace of its own. */
export class Host {
  /** What it is called in the report. */
  readonly name: string;
  readonly namespace: string;

  constructor(name: string, namespace: string) {
    this.name = name;
    this.namespace = namespace;
  }

  /** Words that make a command line run here when they stand before it. */
  get launcher(): readonly string[] {
    return ['ip', 'netns', 'exec', this.namespace];
  }
  /** Runs a program here to its end; gives what it printed. */
  run(program: string, parameters: readonly string[], input?: string): Promise<string> {
    return run('ip', ['netns', 'exec', this.namespace, program, ...parameters], input);
  }
  /** Lines for `ip -batch`, here. */
  async ip(lines: readonly string[]): Promise<void> {
    await run('ip', ['-n', this.namespace, '-batch', '-'], `${lines.join('\n')}\n`);
  }
}
