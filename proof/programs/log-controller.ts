import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabProgram } from '../../src/apps/lab/program.ts';
import { endedWithUs } from '../../src/apps/lab/testing/end-with-us.ts';
import { FollowedLogs } from '../../src/apps/lab/testing/followed-logs.ts';
import { controllerDocument } from './documents.ts';
import type { Perimeter } from './perimeter.ts';

const SERVER = join(import.meta.dirname, '../../src/apps/cli/main.ts');

/** `sallyport internal` with a log controller, on the counterparts' host, and the command line beside it. */
export class LogController {
  readonly #perimeter: Perimeter;
  readonly #program: LabProgram;

  private constructor(perimeter: Perimeter, program: LabProgram) {
    this.#perimeter = perimeter;
    this.#program = program;
  }
  static async start(perimeter: Perimeter): Promise<LogController> {
    const { files } = perimeter;
    const document = files.path('controller.yaml');
    writeFileSync(document, controllerDocument());
    const launcher = [...endedWithUs('INT'), ...perimeter.host('counterparts').launcher];
    const [socket, log] = [files.path('controller.sock'), files.path('controller.log')];
    const program = new LabProgram({ name: 'internal', document, socket, log, launcher });
    await program.start();
    return new LogController(perimeter, program);
  }
  stop(): Promise<void> {
    return this.#program.stop();
  }

  /** `sallyport logs ...`; what it prints. Rejects when an edge does not answer. */
  logs(...parameters: readonly string[]): Promise<string> {
    const words = ['logs', ...parameters, '--socket', this.#program.options.socket];
    return this.#perimeter.host('counterparts').run(process.execPath, [SERVER, ...words]);
  }
  /** `sallyport logs follow ...`, until it is stopped. */
  follow(...parameters: readonly string[]): FollowedLogs {
    const { launcher } = this.#perimeter.host('counterparts');
    return new FollowedLogs(this.#program.options.socket, parameters, launcher);
  }
}
