import { hasProsody, startOwnPartner, startProsodyPartner, type XmppPartner } from '#apps/xmpp-partner';
import { FailureError, failure, SystemClock, SystemRandom } from '#kernel';
import { type LabPartner, type LabPlan, labFiles } from './lab-plan.ts';
import { NameServer } from './name-server.ts';
import type { Narrator } from './narrator.ts';
import { type SceneActor, XmppScene } from './xmpp-scene.ts';

/** Which XMPP server the partner runs. */
export type PartnerServer = 'prosody' | 'own';

function failed(problem: unknown): never {
  if (problem instanceof FailureError) throw problem;
  const what = problem instanceof Error ? problem.message : String(problem);
  throw new FailureError(failure('SLP-APP-0009', `the XMPP partner did not start: ${what}`));
}

/** The organisation outside: its name server, its XMPP server, and romeo who uses it. */
export class PartnerStage {
  readonly #place: LabPartner;
  readonly #names: NameServer;
  readonly #scene: XmppScene;
  readonly #partner: XmppPartner;

  private constructor(place: LabPartner, names: NameServer, scene: XmppScene, partner: XmppPartner) {
    this.#place = place;
    this.#names = names;
    this.#scene = scene;
    this.#partner = partner;
  }

  /** @param server Prosody where it is installed, when it is left out */
  static async open(
    plan: LabPlan,
    place: LabPartner,
    narrator: Narrator,
    server: PartnerServer = hasProsody() ? 'prosody' : 'own',
  ): Promise<PartnerStage> {
    const { nameServer, host, domain, address } = place;
    const files = labFiles(plan);
    const hosts = new Map([
      [host, address],
      [plan.names.access, plan.access.address],
    ]);
    const names = await NameServer.start(nameServer.address, hosts, nameServer.port).catch(failed);
    const scene = new XmppScene(narrator, domain);
    const start = server === 'prosody' ? startProsodyPartner : startOwnPartner;
    try {
      const partner = await start({
        clock: new SystemClock(),
        random: new SystemRandom(),
        ...{ domain, address, nameServer },
        certificate: files.partner,
        authority: files.authority,
        peer: { domain: plan.domain, host: plan.names.access, address: plan.access.address },
        folder: files.partnerFolder,
        handleStanza: (stanza) => scene.handleStanza(stanza),
        handleTrouble: (what) => scene.handleTrouble(what),
      });
      return new PartnerStage(place, names, scene, partner);
    } catch (problem) {
      names.stop();
      return failed(problem);
    }
  }

  /** What there is, for people. */
  get title(): string {
    const { domain, address } = this.#place;
    return `${domain} at ${address}: ${this.#partner.title}`;
  }
  play(alice: SceneActor, bob: SceneActor): Promise<void> {
    return this.#scene.play(this.#partner, alice, bob);
  }
  async stop(): Promise<void> {
    await this.#partner.stop();
    this.#names.stop();
  }
}
