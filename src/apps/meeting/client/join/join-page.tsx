import { type SubmitEvent, useEffect, useId, useRef, useState } from 'react';
import type { SessionEnd, SessionStage, Who } from '#protocols/meeting-session';
import { useWords } from '../i18n/words.tsx';
import { ConnectionCheck, useConnectionCheck } from './connection-check.tsx';
import { Field } from './field.tsx';
import { Frame } from './frame.tsx';

type Missing = 'name' | 'address' | 'password';

/** Who are you, and can a meeting be reached from here? */
export function JoinPage({
  stage,
  problem,
  onJoin,
  onIdle,
}: {
  readonly stage: SessionStage;
  readonly problem: SessionEnd | undefined;
  readonly onJoin: (who: Who, signalling: string) => Promise<void>;
  readonly onIdle: () => void;
}) {
  const words = useWords();
  const check = useConnectionCheck();
  const [kind, setKind] = useState<Who['kind']>('guest');
  const [values, setValues] = useState({ name: '', address: '', password: '' });
  const [missing, setMissing] = useState<Missing>();
  const [loading, setLoading] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const going = stage !== 'idle' && stage !== 'over';
  useEffect(() => {
    if (check.state.kind === 'good') onIdle();
  }, [check.state.kind, onIdle]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = missingOf(kind, values);
    setMissing(wrong);
    if (wrong !== undefined) form.current?.querySelector<HTMLInputElement>(`[name=${wrong}]`)?.focus();
    if (wrong !== undefined || check.state.kind !== 'good') return;
    setLoading(true);
    void onJoin(whoOf(kind, values), check.state.config.signalling).finally(() => setLoading(false));
  };
  const field = (name: Missing) => ({
    ...{ name, value: values[name], wrong: missing === name, disabled: going },
    onChange: (value: string) => setValues({ ...values, [name]: value }),
  });
  return (
    <Frame>
      <h1>{words.join.title}</h1>
      {problem !== undefined && <Problem end={problem} />}
      <form ref={form} onSubmit={submit} noValidate>
        <KindChoice kind={kind} onChange={setKind} disabled={going} />
        {kind === 'guest' ? (
          <Field
            {...field('name')}
            label={words.join.name}
            hint={words.join.nameHint}
            problem={words.join.nameMissing}
            autoComplete="name"
            maxLength={64}
          />
        ) : (
          <>
            <Field
              {...field('address')}
              label={words.join.address}
              hint={words.join.addressHint}
              problem={words.join.addressWrong}
              autoComplete="username"
              inputMode="email"
              maxLength={255}
            />
            <Field
              {...field('password')}
              label={words.join.password}
              problem={words.join.passwordMissing}
              type="password"
              autoComplete="current-password"
              maxLength={255}
            />
          </>
        )}
        <button type="submit" className="primary wide" disabled={going || loading}>
          {going || loading ? <span className="spinner" aria-hidden="true" /> : null}
          {going ? stageText(words, stage) : words.join.go}
        </button>
        <p className="hidden" role="status">
          {going ? stageText(words, stage) : ''}
        </p>
      </form>
      <ConnectionCheck {...check} />
    </Frame>
  );
}

function KindChoice({
  kind,
  onChange,
  disabled,
}: {
  readonly kind: Who['kind'];
  readonly onChange: (kind: Who['kind']) => void;
  readonly disabled: boolean;
}) {
  const words = useWords();
  const name = useId();
  return (
    <fieldset className="choice" disabled={disabled}>
      <legend className="hidden">{words.join.how}</legend>
      {(['guest', 'user'] as const).map((one) => (
        <label key={one}>
          <input type="radio" name={name} checked={kind === one} onChange={() => onChange(one)} />
          <span>{words.join[one]}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Why it did not work, where eyes and screen readers find it first. */
function Problem({ end }: { readonly end: SessionEnd }) {
  const { title, text } = useWords().problems[end];
  const box = useRef<HTMLDivElement>(null);
  const heading = useId();
  useEffect(() => box.current?.focus(), []);
  return (
    <div ref={box} className="problem" role="alert" aria-labelledby={heading} tabIndex={-1}>
      <h2 id={heading}>{title}</h2>
      <p>{text}</p>
    </div>
  );
}

function stageText(words: ReturnType<typeof useWords>, stage: SessionStage): string {
  const { stages } = words.join;
  return stage in stages ? stages[stage as keyof typeof stages] : stages.entering;
}

function missingOf(kind: Who['kind'], { name, address, password }: Record<Missing, string>) {
  if (kind === 'guest') return name.trim() === '' ? 'name' : undefined;
  if (!/^(?:sip:)?[^@\s<>"]+@[^@\s<>"]+$/i.test(address.trim())) return 'address';
  return password === '' ? 'password' : undefined;
}
function whoOf(kind: Who['kind'], { name, address, password }: Record<Missing, string>): Who {
  if (kind === 'guest') return { kind, displayName: name.trim() };
  return { kind, address: `sip:${address.trim().replace(/^sip:/i, '')}`, password };
}
