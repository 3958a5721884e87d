import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Cancel, type Clock, err, failure, ok, type Result } from '#kernel';
import type { Log } from '#platform/telemetry';
import {
  ALWAYS_ON,
  type ProviderRequest,
  type RunningScenario,
  readProviderRequest,
  runningScenario,
  SCENARIO_MS,
  type Scenario,
  scenarioNamed,
} from '#protocols/log-query';

/** At most so many at once, AlwaysOn among them. */
const MOST_SCENARIOS = 2;
const FILE = 'scenarios.json';

const stored = z.object({
  /** What an operator said last; null: the document decides. */
  alwaysOn: z.boolean().nullable(),
  running: z.array(runningScenario).max(MOST_SCENARIOS),
});

/** Names are looked up here. */
interface NamedRequest {
  readonly provider: string;
  readonly level: string;
  readonly flags: readonly string[];
}

/** What a controller asks to be run. */
export interface ScenarioRequest {
  readonly scenario: string;
  readonly providers?: readonly NamedRequest[] | undefined;
  readonly bodies?: boolean | undefined;
  readonly durationMs?: number | undefined;
}

interface Running {
  readonly scenario: Scenario;
  readonly startedAt: number;
  readonly endsAt: number | null;
}

/** The scenarios of this edge. They are kept in a file, so that a restart changes nothing of them. */
export class RunningScenarios {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #file: string;
  readonly #onChange: (running: readonly Scenario[], what: string) => void;
  #alwaysOn: boolean | null = null;
  #byDocument = true;
  #running: Running[] = [];
  #cancel: Cancel = () => {};

  constructor(
    folder: string,
    parts: { readonly clock: Clock; readonly log: Log },
    onChange: (running: readonly Scenario[], what: string) => void,
  ) {
    this.#file = join(folder, FILE);
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#onChange = onChange;
    this.#load();
  }

  /** @param alwaysOn what the document says about AlwaysOn */
  configure(alwaysOn: boolean): void {
    this.#byDocument = alwaysOn;
    this.#settle('document applied');
  }
  get scenarios(): Scenario[] {
    return this.#running.map(({ scenario }) => scenario);
  }
  show(): RunningScenario[] {
    return this.#running.map(({ scenario: { name, bodies, providers }, startedAt, endsAt }) => ({
      name,
      startedAt,
      endsAt,
      bodies,
      providers: providers.map(({ provider, level, flags }) => ({ provider, level, flags: [...flags] })),
    }));
  }

  start(request: ScenarioRequest): Result<void> {
    const scenario = definitionOf(request);
    if (!scenario.ok) return scenario;
    const { name } = scenario.value;
    if (this.#find(name) !== undefined) return err(failure('SLP-LOG-0006', `${name} is running already`));
    if (this.#running.length >= MOST_SCENARIOS) {
      const names = this.#running.map((running) => running.scenario.name).join(' and ');
      return err(failure('SLP-LOG-0006', `${names} are running, and ${MOST_SCENARIOS} is the most`));
    }
    this.#put(scenario.value, this.#clock.wall(), request.durationMs);
    return ok(undefined);
  }
  /** Runs on, from now for the time that is given, with what is given. */
  update(request: ScenarioRequest): Result<void> {
    const running = this.#find(request.scenario);
    if (running === undefined) return err(failure('SLP-LOG-0007', request.scenario));
    const { name } = running.scenario;
    const known = scenarioNamed(name);
    let { scenario } = running;
    if (request.providers !== undefined || known.ok) {
      const changed = definitionOf({ bodies: scenario.bodies, ...request, scenario: name });
      if (!changed.ok) return changed;
      scenario = changed.value;
    } else if (request.bodies !== undefined) scenario = { ...scenario, bodies: request.bodies };
    this.#running = this.#running.filter((other) => other !== running);
    this.#put(scenario, running.startedAt, request.durationMs);
    return ok(undefined);
  }
  stop(name: string): Result<void> {
    const running = this.#find(name);
    if (running === undefined) return err(failure('SLP-LOG-0007', name));
    this.#running = this.#running.filter((other) => other !== running);
    if (running.scenario.name === ALWAYS_ON) this.#alwaysOn = false;
    this.#settle(`${running.scenario.name} stopped`);
    return ok(undefined);
  }
  close(): void {
    this.#cancel();
  }

  #find(name: string): Running | undefined {
    return this.#running.find(({ scenario }) => scenario.name.toLowerCase() === name.toLowerCase());
  }
  #put(scenario: Scenario, startedAt: number, durationMs = SCENARIO_MS.usual): void {
    const always = scenario.name === ALWAYS_ON;
    if (always) this.#alwaysOn = true;
    const endsAt = always ? null : this.#clock.wall() + durationMs;
    this.#running.push({ scenario, startedAt, endsAt });
    this.#settle(`${scenario.name} started`);
  }

  /** Ends what is over, has AlwaysOn as it should be, keeps it all, and tells. */
  #settle(what: string): void {
    this.#cancel();
    const now = this.#clock.wall();
    const on = this.#alwaysOn ?? this.#byDocument;
    const running = this.#running.filter(
      ({ endsAt, scenario }) => (endsAt === null || endsAt > now) && (scenario.name !== ALWAYS_ON || on),
    );
    const always = scenarioNamed(ALWAYS_ON);
    if (on && always.ok && !running.some(({ scenario }) => scenario.name === ALWAYS_ON))
      running.unshift({ scenario: always.value, startedAt: now, endsAt: null });
    this.#running = running.slice(0, MOST_SCENARIOS);
    this.#save();
    const ends = this.#running.flatMap(({ endsAt }) => (endsAt === null ? [] : [endsAt]));
    if (ends.length > 0)
      this.#cancel = this.#clock.after(Math.min(...ends) - now, () => this.#settle('time is over'));
    this.#onChange(this.scenarios, what);
  }

  #load(): void {
    try {
      const { alwaysOn, running } = stored.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
      this.#alwaysOn = alwaysOn;
      for (const { name, providers, bodies, startedAt, endsAt } of running) {
        const known = scenarioNamed(name);
        // One that another version stored and this one does not know is left behind.
        const scenario = known.ok ? known : definitionOf({ scenario: name, providers, bodies });
        if (scenario.ok) this.#running.push({ scenario: { ...scenario.value, bodies }, startedAt, endsAt });
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#log.warn('scenarios forgotten', { code: 'SLP-LOG-0005', problem: (error as Error).message });
    }
  }
  #save(): void {
    const state: z.input<typeof stored> = { alwaysOn: this.#alwaysOn, running: this.show() };
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(state), { mode: 0o600, flush: true });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#log.error('scenarios are not kept', { code: 'SLP-LOG-0003', problem: (error as Error).message });
    }
  }
}

function definitionOf({ scenario: name, providers, bodies }: ScenarioRequest): Result<Scenario> {
  const known = scenarioNamed(name);
  if (known.ok) {
    if (providers !== undefined)
      return err(failure('SLP-LOG-0006', `what ${known.value.name} asks for is fixed; take another name`));
    if (known.value.name === ALWAYS_ON && bodies === true)
      return err(failure('SLP-LOG-0006', `${ALWAYS_ON} never stores bodies`));
    return ok(bodies === undefined ? known.value : { ...known.value, bodies });
  }
  if (providers === undefined) return known;
  const requests: ProviderRequest[] = [];
  for (const { provider, level, flags } of providers) {
    const read = readProviderRequest(`${provider}:${level}:${flags.join('+')}`);
    if (!read.ok) return read;
    requests.push(read.value);
  }
  // Markers are found whatever is asked for.
  requests.push({ provider: 'LoggingAgent', level: 'info', flags: [] });
  return ok({ name, providers: requests.slice(0, 64), bodies: bodies === true });
}
