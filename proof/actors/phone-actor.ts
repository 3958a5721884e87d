import { Phone, type RelayServer, type SignIn } from '#apps/softphone';
import { FailureError, SystemClock, SystemRandom } from '#kernel';
import { loadTrustAnchors } from '#platform/pki';
import { Arrivals } from '../../src/apps/lab/testing/arrivals.ts';

export interface SignInOrder {
  /** `user@domain` */
  readonly user: string;
  readonly password: string;
  readonly server: { readonly address: string; readonly port: number; readonly name: string };
  readonly localAddress: string;
  /** The CA's certificate, PEM. */
  readonly authority: string;
  /** Addresses of host names, in place of a name service. */
  readonly hosts: Record<string, string>;
}

/** The phones of this host, by user: our own softphone, which verifies the server's certificate. */
export class PhoneActor {
  readonly #phones = new Map<string, { phone: Phone; signIn: SignIn; messages: Arrivals<Message> }>();

  async signIn({ user, password, server, localAddress, authority, hosts }: SignInOrder) {
    await this.#signOut(user);
    const trust = loadTrustAnchors(authority);
    if (!trust.ok) throw new FailureError(trust.error);
    const messages = new Arrivals<Message>(`a message for ${user}`);
    const phone = await Phone.connect({
      clock: new SystemClock(),
      random: new SystemRandom(),
      identity: { address: `sip:${user}`, password },
      server,
      localAddress,
      trust: trust.value,
      hosts: new Map(Object.entries(hosts)),
      onMessage: (from, text) => messages.put({ from, text }),
    });
    const signIn = await phone.signIn();
    this.#phones.set(user, { phone, signIn, messages });
    return { outside: signIn.outside, localPort: phone.flow.connection.local.port };
  }

  message({ user, to, text }: { user: string; to: string; text: string }): Promise<void> {
    return this.#of(user).phone.message(`sip:${to}`, text);
  }
  nextMessage({ user }: { user: string }): Promise<Message> {
    return this.#of(user).messages.next();
  }
  /** By SERVICE, from the A/V Authentication service. */
  relayCredentials({ user }: { user: string }): Promise<RelayServer & { readonly host: string }> {
    const { phone, signIn } = this.#of(user);
    return phone.relayCredentials(signIn);
  }

  /** A user who comes anew leaves no binding behind: a front end takes so many of one user and no more. */
  async #signOut(user: string): Promise<void> {
    const before = this.#phones.get(user);
    if (before === undefined) return;
    await before.phone.signOut();
    before.phone.close();
    this.#phones.delete(user);
  }
  #of(user: string) {
    const found = this.#phones.get(user);
    if (found === undefined) throw new Error(`${user} is not signed in here`);
    return found;
  }
}

interface Message {
  readonly from: string;
  readonly text: string;
}
