import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { SystemRandom } from '#kernel';
import {
  describeHost,
  type HostFinding,
  type HostReadings,
  type OutsideReadings,
  readHost,
  surveyHost,
} from '#platform/host-survey';
import { type EdgeDocument, formatDocumentError } from '#platform/topology';
import { mediaKeyText } from '#protocols/credentials';
import { exitStatus, printable, printableJson, type Session } from '../terminal.ts';
import type { Answers } from './answers.ts';
import { type Dialogue, terminalDialogue } from './dialogue.ts';
import { documentText, documentToJudgeBy, examined, usualDocument } from './document.ts';
import { interview } from './interview.ts';
import { writeNewFile } from './new-file.ts';
import { askOutside } from './outside.ts';
import { findingsText, hostText } from './report.ts';
import { toDoText } from './to-do.ts';

/** What `sallyport init` sees of the world besides the files that it writes. */
export interface InitWorld {
  readHost(): HostReadings;
  /** Undefined when nobody is there to be asked. */
  openDialogue(): Dialogue | undefined;
}

export const thisWorld: InitWorld = {
  readHost,
  openDialogue() {
    const { stdin, stdout } = process;
    return stdin.isTTY && stdout.isTTY ? terminalDialogue(stdin, stdout) : undefined;
  },
};

/** The flags; those of the questions are answers. */
export interface InitSettings extends Answers {
  readonly yes?: true;
  readonly force?: true;
  readonly surveyOnly?: true;
  readonly json?: true;
  readonly stun?: string;
  readonly timeServer?: string;
}

/** Looks at the host, asks, writes the document, and says what is left to do. */
export async function runInit(
  session: Session,
  world: InitWorld,
  file: string,
  settings: InitSettings,
): Promise<void> {
  const { terminal } = session;
  const surveyOnly = settings.surveyOnly === true;
  if (settings.json === true && !surveyOnly) {
    terminal.error('--json goes with --survey-only; the document itself is for people');
    return session.finish(exitStatus.usage);
  }
  if (!surveyOnly && settings.force !== true && existsSync(file)) {
    const instead = 'give another name, --force to replace it, or --survey-only to look at the host for it';
    terminal.error(printable(`${file} is there already: ${instead}`));
    return session.finish(exitStatus.failed);
  }
  const host = world.readHost();
  const { outside, complaints } = await askOutside(host, {
    stun: settings.stun,
    timeServer: settings.timeServer,
  });
  for (const complaint of complaints) terminal.error(printable(complaint));
  const run: Run = { session, world, file, settings, host, outside };
  if (surveyOnly) return survey(run);
  const first = surveyHost(host, usualDocument(), { imagined: true, outside });
  terminal.out(`${hostText(host, outside)}\n\n${findingsText(first)}\n`);
  const answers = await takeAnswers(run);
  if (answers !== undefined) write(run, answers, first);
}

interface Run {
  readonly session: Session;
  readonly world: InitWorld;
  readonly file: string;
  readonly settings: InitSettings;
  readonly host: HostReadings;
  readonly outside: OutsideReadings;
}

/** `--survey-only` */
function survey({ session, file, settings, host, outside }: Run): void {
  const { terminal } = session;
  const judged = documentToJudgeBy(file);
  if (judged === undefined) {
    terminal.error(
      printable(`${file} has errors, so that nobody knows what it needs: sallyport check shows them`),
    );
    return session.finish(exitStatus.failed);
  }
  const { document, imagined } = judged;
  const findings = surveyHost(host, document, { imagined, outside });
  if (settings.json === true) {
    const found = describeHost(host, outside).map(([about, what]) => ({ about, found: what }));
    terminal.out(printableJson({ document: imagined ? null : file, found, findings }));
  } else {
    terminal.out(`${hostText(host, outside)}\n\n${findingsText(findings)}`);
  }
  if (findings.some(({ severity }) => severity === 'error')) session.finish(exitStatus.failed);
}

const HOW =
  '\nAn empty line takes what stands in brackets, < goes back, Ctrl-C ends without having written anything.';

async function takeAnswers(run: Run): Promise<Answers | undefined> {
  const { session, settings, file, host, outside } = run;
  const { terminal } = session;
  const dialogue = settings.yes === true ? undefined : run.world.openDialogue();
  dialogue?.say(HOW);
  try {
    const outcome = await interview({
      given: settings,
      dialogue,
      takeDefaults: settings.yes === true,
      known: { host, outside, file },
    });
    if (outcome.kind === 'answered') return outcome.answers;
    if (outcome.kind === 'abandoned') {
      terminal.error('\nbroken off; nothing was written');
      session.finish(exitStatus.failed);
    } else {
      for (const problem of outcome.problems) terminal.error(printable(problem));
      terminal.error(
        settings.yes === true
          ? 'nothing was written'
          : 'nothing was written: nobody is at a terminal to be asked; --yes takes the defaults of what has one',
      );
      session.finish(exitStatus.usage);
    }
    return undefined;
  } finally {
    dialogue?.end();
  }
}

const DOCUMENT_MODE = 0o640;

/** What was said before the questions is not said again. */
function write(
  { session, file, settings, host, outside }: Run,
  answers: Answers,
  said: readonly HostFinding[],
): void {
  const { terminal } = session;
  const text = documentText(file, answers);
  const { document, findings } = examined(file, text);
  if (document === undefined) {
    for (const finding of findings) terminal.error(formatDocumentError(finding));
    terminal.error('nothing was written');
    return session.finish(exitStatus.failed);
  }
  const written = writeNewFile({ path: file, text, mode: DOCUMENT_MODE, replace: settings.force === true });
  if (!written.ok) {
    terminal.error(printable(written.error));
    return session.finish(exitStatus.failed);
  }
  const { runAs } = document.host;
  const share = runAs === undefined ? '' : `; let its services read it: chgrp ${runAs} ${file}`;
  terminal.out(printable(`wrote ${file}${share}`));
  if (answers.createMediaKey === 'yes') makeMediaKey(session, document);
  const before = new Set(said.map((finding) => JSON.stringify(finding)));
  const more = surveyHost(host, document, { outside }).filter(
    (finding) => !before.has(JSON.stringify(finding)),
  );
  if (more.length > 0) terminal.out(`\n${findingsText(more)}`);
  terminal.out(`\n${toDoText(file, document, findings)}`);
}

const SECRET_MODE = 0o600;
const SECRET_FOLDER_MODE = 0o750;
const MEDIA_KEY_BYTES = 32;

/** A new key never takes the place of another: credentials made from that would count no more. */
function makeMediaKey(session: Session, { host, policy }: EdgeDocument): void {
  const { terminal } = session;
  const path = policy.mediaCredentials.keyFile;
  const text = mediaKeyText(new SystemRandom().bytes(MEDIA_KEY_BYTES));
  try {
    mkdirSync(dirname(path), { recursive: true, mode: SECRET_FOLDER_MODE });
  } catch {
    // That the folder is missing is said when the file is written.
  }
  const made = writeNewFile({ path, text, mode: SECRET_MODE, replace: false });
  if (!made.ok) {
    terminal.error(printable(made.error));
    return session.finish(exitStatus.failed);
  }
  terminal.out(
    printable(`wrote ${path}, the media key: copy it to every other edge of the pool, and to nobody else`),
  );
  if (host.runAs !== undefined) {
    terminal.out(printable(`  let its services read it: chown -R ${host.runAs}: ${dirname(path)}`));
  }
}
