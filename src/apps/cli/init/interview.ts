import { commentedDocument, type DocumentFinding, examineEdge } from '#platform/topology';
import { printable } from '../terminal.ts';
import { type Answers, documentValues, type QuestionName } from './answers.ts';
import type { Dialogue } from './dialogue.ts';
import { flagOf, type Question, questions } from './questions.ts';
import { type Known, suggestion } from './suggestions.ts';

export interface Interview {
  /** What flags have answered. */
  readonly given: Answers;
  /** Undefined when nobody is there to be asked. */
  readonly dialogue: Dialogue | undefined;
  /** Take every default instead of asking. */
  readonly takeDefaults: boolean;
  readonly known: Omit<Known, 'answers'>;
}

export type InterviewOutcome =
  | { readonly kind: 'answered'; readonly answers: Answers }
  /** The terminal ended, or whoever was asked had enough. */
  | { readonly kind: 'abandoned' }
  /** Flags that are missing or wrong, one a line. */
  | { readonly kind: 'incomplete'; readonly problems: readonly string[] };

type Step = { readonly text: string } | { readonly problem: string } | 'back' | 'abandoned';

/** Answers every question: by its flag, by asking, or by its default. */
export async function interview(one: Interview): Promise<InterviewOutcome> {
  const answers: Partial<Record<QuestionName, string>> = {};
  /** In the place of what is missing, so that one missing flag makes no other default go missing. */
  const assumed: Partial<Record<QuestionName, string>> = {};
  const earlier: Partial<Record<QuestionName, string>> = {};
  const asked: number[] = [];
  const problems: string[] = [];
  for (let at = 0; at < questions.length; at += 1) {
    const question = questions[at] as Question;
    const { name } = question;
    const known = { ...one.known, answers: { ...assumed, ...answers } };
    if (question.applies?.(known) === false) continue;
    const step = await take(question, one, { known, answers, earlier: earlier[name] });
    if (step === 'abandoned') return { kind: 'abandoned' };
    if (step === 'back') {
      const before = asked.pop();
      if (before === undefined) at -= 1;
      else {
        forget(before, answers, earlier);
        at = before - 1;
      }
    } else if ('problem' in step) {
      problems.push(step.problem);
      assumed[name] = suggestion(name, known) ?? question.example;
    } else {
      answers[name] = step.text;
      if (one.dialogue !== undefined && one.given[name] === undefined) asked.push(at);
    }
  }
  return problems.length > 0 ? { kind: 'incomplete', problems } : { kind: 'answered', answers };
}

/** From this question on everything is open again; what was said is the default then. */
function forget(
  from: number,
  answers: Partial<Record<QuestionName, string>>,
  earlier: Partial<Record<QuestionName, string>>,
): void {
  for (const { name } of questions.slice(from)) {
    if (answers[name] !== undefined) earlier[name] = answers[name];
    delete answers[name];
  }
}

interface Situation {
  readonly known: Known;
  readonly answers: Answers;
  readonly earlier: string | undefined;
}

async function take(question: Question, one: Interview, situation: Situation): Promise<Step> {
  const { name } = question;
  const { answers } = situation;
  const flag = flagOf(name);
  const given = one.given[name];
  if (given !== undefined) {
    const text = given.trim();
    const complaint = complaints(question, text, answers)[0];
    return complaint === undefined ? { text } : { problem: `${flag}: ${complaint}` };
  }
  const offered = offer(question, situation);
  if (one.dialogue !== undefined) return ask(question, one.dialogue, answers, offered);
  if (one.takeDefaults && offered !== undefined) return { text: offered };
  const example = `such as ${flag} '${question.example}'`;
  return { problem: `${flag} is missing (${question.ask.replace(/: .*/, '')}), ${example}` };
}

/** The default, unless the schema would refuse it. */
function offer(question: Question, { known, answers, earlier }: Situation): string | undefined {
  return [earlier, suggestion(question.name, known)].find(
    (text) => text !== undefined && complaints(question, text, answers).length === 0,
  );
}

async function ask(
  question: Question,
  dialogue: Dialogue,
  answers: Answers,
  offered: string | undefined,
): Promise<Step> {
  dialogue.say(`\n${question.ask}\n  ${question.why}`);
  const prompt = offered === undefined ? `  such as ${question.example}: ` : `  [${printable(offered)}]: `;
  for (;;) {
    const line = await dialogue.ask(prompt);
    if (line === undefined) return 'abandoned';
    const text = line.trim() === '' ? offered : line.trim();
    if (text === '<') return 'back';
    if (text === undefined) {
      dialogue.say('  This one has no default.');
      continue;
    }
    const wrong = complaints(question, text, answers);
    if (wrong.length === 0) return { text };
    for (const complaint of wrong) dialogue.say(`  ${complaint}`);
  }
}

/** What speaks against an answer: its form, or what `sallyport check` would say about a document with it. */
export function complaints(question: Question, text: string, answers: Answers): string[] {
  if (text === '') return ['write something'];
  const form = question.complain?.(text, answers);
  if (form !== undefined) return [form];
  const written = commentedDocument('edge', [], documentValues({ ...answers, [question.name]: text }));
  const { findings } = examineEdge(written, { file: 'edge.yaml', files: 'unread' });
  return findings.filter(isComplaint).map(({ what, instead }) => printable(`${what}: ${instead}`));
}

/** What is not answered yet is no mistake yet. */
function isComplaint({ severity, rule }: DocumentFinding): boolean {
  return severity === 'error' && rule !== 'missing-key';
}
