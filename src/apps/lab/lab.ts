import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FailureError, failure } from '#kernel';
import { browserInvitation } from './browser-invitation.ts';
import { Demonstration } from './demonstration.ts';
import { type LabPlan, labFiles, planLab } from './lab-plan.ts';
import { MeetingScene } from './meeting-scene.ts';
import { type Narrator, TerminalNarrator } from './narrator.ts';
import { type PartnerServer, PartnerStage } from './partner-stage.ts';
import { LabProgram } from './program.ts';
import { type LabSecrets, setUpLab } from './set-up.ts';
import { StatusLine } from './status-line.ts';

export interface LabOptions {
  /** Where the lab keeps its files; made anew at each start. Default `.sallyport/lab` below the current folder. */
  readonly folder?: string;
  /** Ends after the demonstration. */
  readonly once?: boolean;
  readonly narrator?: Narrator;
  /** Length of a call in milliseconds. */
  readonly callMs?: number;
  /** Second number of its loopback addresses, 0 to 255; 0 by default. */
  readonly network?: number;
  /** The XMPP server of the partner; Prosody where it is installed, when it is left out. */
  readonly partner?: PartnerServer;
}

const CONNECTED_MS = 30_000;

/** Runs the lab; the exit status: 0, or 1 when something failed (which was said). */
export async function runLab(options: LabOptions = {}): Promise<number> {
  const narrator = options.narrator ?? new TerminalNarrator();
  const { folder = '.sallyport/lab', network = 0 } = options;
  const plan = await planLab(resolve(folder), { network, xmpp: true, meetings: true });
  const lab = new Lab(plan, narrator, options);
  // To the end: a second Ctrl-C while it stops would leave the programs behind.
  const interrupted = new Promise<'interrupted'>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => done('interrupted'));
  });
  try {
    const played = await Promise.race([lab.play().then(() => 'played' as const), interrupted]);
    if (played === 'interrupted') narrator.note('Interrupted.');
    else if (options.once !== true) await lab.stay(interrupted);
    return played === 'interrupted' && options.once === true ? 1 : 0;
  } catch (problem) {
    narrator.part('The demonstration failed');
    narrator.note(problem instanceof FailureError ? problem.message : String((problem as Error).stack));
    const { edgeLog, internalLog } = labFiles(plan);
    narrator.note(`Logs: ${edgeLog}\n      ${internalLog}`);
    return 1;
  } finally {
    await lab.stop();
  }
}

class Lab {
  readonly #plan: LabPlan;
  readonly #narrator: Narrator;
  readonly #options: LabOptions;
  readonly #edge: LabProgram;
  readonly #internal: LabProgram;
  #secrets: LabSecrets | undefined;
  #partner: Promise<PartnerStage> | undefined;
  #link: string | undefined;
  #stopped = false;

  constructor(plan: LabPlan, narrator: Narrator, options: LabOptions) {
    this.#plan = plan;
    this.#narrator = narrator;
    this.#options = options;
    const files = labFiles(plan);
    this.#edge = new LabProgram({
      name: 'edge',
      document: files.edgeDocument,
      socket: files.edgeSocket,
      log: files.edgeLog,
    });
    this.#internal = new LabProgram({
      name: 'internal',
      document: files.internalDocument,
      socket: files.internalSocket,
      log: files.internalLog,
    });
  }

  async play(): Promise<void> {
    const narrator = this.#narrator;
    const files = labFiles(this.#plan);
    narrator.part('A perimeter on this machine');
    for (const remark of this.#plan.remarks) narrator.note(remark);
    const secrets = await setUpLab(this.#plan);
    this.#secrets = secrets;
    narrator.step('certification authority, certificates, keys and accounts made');
    narrator.note(`        edge.yaml      ${files.edgeDocument}`);
    narrator.note(`        internal.yaml  ${files.internalDocument}`);
    const partner = await this.#openPartner();
    if (this.#stopped) return;
    const [internal, edge] = await Promise.all([this.#internal.start(), this.#edge.start()]);
    for (const { program, services } of [edge, internal]) {
      const names = services.map(({ title }) => title).join(', ');
      narrator.step(`sallyport ${program} is healthy: ${names}`);
    }
    await this.#connected();
    narrator.step('edge and front end have found one another, by mutual TLS', 'int-02', 'int-03', 'int-05');
    if (partner !== undefined) await this.#linked();
    const link = await this.#makeMeeting();
    const { callMs } = this.#options;
    await new Demonstration({
      plan: this.#plan,
      secrets,
      edge: this.#edge,
      narrator,
      ...(callMs === undefined ? {} : { callMs }),
      ...(partner === undefined ? {} : { withPartner: (alice, bob) => partner.play(alice, bob) }),
    }).play();
    if (link !== undefined) await this.#meet(link, secrets);
    narrator.part('Everything worked.');
  }

  /** Stays up until the operator has seen enough, with a line that says how things are. */
  async stay(until: Promise<unknown>): Promise<void> {
    this.#invite();
    const line = new StatusLine([this.#edge, this.#internal]);
    line.start();
    await until;
    line.stop();
    this.#narrator.note('Stopping ...');
  }

  /** Ends both programs, and starts none from now on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#edge.stop(), this.#internal.stop()]);
    await this.#partner?.then(
      (partner) => partner.stop(),
      () => {},
    );
  }

  /** Every edge has its link, and the front end its connection: stanzas of partners go in and out. */
  async #linked(): Promise<void> {
    await this.#until(async () => {
      const { edges, nextHops } = (await this.#internal.ask('xmpp-gateway', 'links')) as {
        edges: { name: string; ready: boolean }[];
        nextHops: { name: string; state: string }[];
      };
      const hops = nextHops.map(({ name, state }) => ({ name, ready: state === 'healthy' }));
      return [...edges, ...hops].flatMap(({ name, ready }) =>
        ready ? [] : `${name}: no link of the XMPP gateway`,
      );
    });
    const rows = ['int-01', 'xmpp-03'];
    this.#narrator.step('the XMPP gateway has its link to the XMPP proxy, by mutual TLS', ...rows);
  }

  /** A meeting that stays open after the demonstration; gives the link to it. */
  async #makeMeeting(): Promise<string | undefined> {
    const { meetings, domain } = this.#plan;
    if (!meetings) return undefined;
    const ask = (verb: string, args = {}) => this.#internal.ask('web-conferencing-service', verb, args);
    await this.#until(async () => {
      const links = (await ask('links')) as { edge: string; state: string }[];
      return links.flatMap(({ edge, state }) => (state === 'ready' ? [] : `${edge}: the link is ${state}`));
    });
    const what = 'the web conferencing service has its link to the Web Conferencing Edge, by mutual TLS';
    this.#narrator.step(what, 'int-04');
    const organizer = `alice@${domain}`;
    const made = (await ask('create', { title: 'The lab', organizer, guests: true })) as { link: string };
    this.#link = made.link;
    return made.link;
  }
  #meet(link: string, secrets: LabSecrets): Promise<void> {
    const authorityPem = readFileSync(labFiles(this.#plan).authority, 'utf8');
    const narrator = this.#narrator;
    return new MeetingScene({ plan: this.#plan, secrets, narrator, link, authorityPem }).play();
  }

  async #openPartner(): Promise<PartnerStage | undefined> {
    const { partner } = this.#plan;
    if (partner === undefined) return undefined;
    this.#partner = PartnerStage.open(this.#plan, partner, this.#narrator, this.#options.partner);
    const opened = await this.#partner;
    this.#narrator.step(`an XMPP partner: ${opened.title}`);
    return opened;
  }

  /** Each side dials the other as soon as it runs, and tries again when it was the first to be there. */
  async #connected(): Promise<void> {
    await this.#until(async () => {
      const troubles = (await this.#internal.ask('front-end', 'troubles')) as string[];
      const { nextHop } = (await this.#edge.ask('access', 'connections')) as {
        nextHop: { name: string; state: string; reason?: string }[];
      };
      for (const { name, state, reason } of nextHop)
        if (state !== 'healthy') troubles.push(`${name}: ${reason}`);
      return troubles;
    });
  }
  /** Waits until there are no troubles any more. */
  async #until(look: () => Promise<string[]>): Promise<void> {
    const deadline = performance.now() + CONNECTED_MS;
    for (;;) {
      const troubles = await look();
      if (troubles.length === 0) return;
      if (performance.now() > deadline) {
        throw new FailureError(failure('SLP-APP-0009', `not connected: ${troubles.join('; ')}`));
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #invite(): void {
    const { access, av, domain, names } = this.#plan;
    const secrets = this.#secrets;
    if (secrets === undefined) return;
    const say = (text: string) => this.#narrator.note(text);
    say('\nSign in with a softphone of your own (from this machine):');
    say(`  server        ${access.address} port ${access.port}, TLS, name ${names.access}`);
    say(`  CA file       ${labFiles(this.#plan).authority}`);
    say(
      `  account       phone@${domain}   password ${secrets.passwords.phone}   (digest MD5, as most softphones need)`,
    );
    for (const person of ['alice', 'bob', 'carol'] as const) {
      say(
        `                ${`${person}@${domain}`.padEnd(16)} password ${secrets.passwords[person]}   (digest SHA-256)`,
      );
    }
    say(`  TURN server   ${av.address} port ${av.port}, UDP`);
    say(`                user ${secrets.relay.username}   password ${secrets.relay.password}`);
    if (this.#link !== undefined) for (const line of browserInvitation(this.#plan, this.#link)) say(line);
    say('\nSee what happened, in another terminal:');
    say(`  sallyport logs search --last 1h --socket ${labFiles(this.#plan).internalSocket}`);
    say('Ctrl-C stops everything.\n');
  }
}
