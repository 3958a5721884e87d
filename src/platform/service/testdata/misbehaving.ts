import { existsSync } from 'node:fs';
import { z } from 'zod';
import { err, failure, ok, type Result } from '#kernel';
import { LEVEL } from '#platform/telemetry';
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
    const second = this.#context.worker?.index === 1;
    if (second && document.secondEnds !== undefined && existsSync(document.secondEnds))
      process.kill(process.pid, 'SIGKILL');
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
    const { events } = this.#context;
    return {
      history: verb(z.strictObject({}), () => this.history),
      trace: verb(z.strictObject({ text: z.string() }), ({ text }) => {
        events.emit({
          provider: 'Access',
          component: 'test',
          level: 'info',
          kind: 'decision',
          name: 'traced',
        });
        const tap = events.tap('Sip');
        const peer = new Uint8Array(0);
        if (tap.level >= LEVEL.info)
          tap.message({ protocol: 'sip', level: 'info', direction: 'in', peer, bytes: Buffer.from(text) });
        return {};
      }),
      emit: verb(z.strictObject({ count: z.number().int() }), ({ count }) => {
        const what = {
          provider: 'Av',
          component: 'test',
          level: 'info',
          kind: 'state',
          name: 'test',
        } as const;
        for (let n = 0; n < count; n++) events.emit({ ...what, fields: { n } });
        return { emitted: count };
      }),
      hang: verb(z.strictObject({}), () => {
        for (;;);
      }),
    };
  }
}
