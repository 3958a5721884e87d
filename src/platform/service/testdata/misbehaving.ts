import { z } from 'zod';
import { err, failure, ok, type Result } from '#kernel';
import type { Provision, ServiceContext, VerbHandler } from '../definition.ts';
import { verb } from '../verb.ts';
import type { TestDocument } from './document.ts';

/** What both test services share: they follow the switches of the document and remember what was asked of them. */
export class Misbehaving {
  readonly history: string[] = [];
  readonly #name: string;
  readonly #context: ServiceContext;
  document: TestDocument | undefined;
  draining = false;

  constructor(name: string, context: ServiceContext) {
    this.#name = name;
    this.#context = context;
  }
  async provision(document: TestDocument, swap: () => void): Promise<Result<Provision>> {
    this.history.push(`provision ${document.greeting}`);
    if (document.refuse?.includes(this.#name)) return err(failure('SLP-SVC-0008', 'told to refuse'));
    return ok({
      commit: async () => {
        this.history.push(`commit ${document.greeting}`);
        if (document.crash?.includes(this.#name)) process.kill(process.pid, 'SIGKILL');
        this.document = document;
        swap();
      },
      abandon: async () => {
        this.history.push(`abandon ${document.greeting}`);
      },
    });
  }
  health() {
    const ill = this.document?.unhealthy?.includes(this.#name) === true;
    return { ok: !ill, detail: ill ? 'told to be ill' : 'well' };
  }
  verbs(): Record<string, VerbHandler> {
    const { events, clock } = this.#context;
    return {
      history: verb(z.strictObject({}), () => this.history),
      emit: verb(z.strictObject({ count: z.number().int() }), ({ count }) => {
        for (let n = 0; n < count; n++) events.emit({ at: clock.wall(), name: 'test', fields: { n } });
        return { emitted: count };
      }),
      hang: verb(z.strictObject({}), () => {
        for (;;);
      }),
    };
  }
}
