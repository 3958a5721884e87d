import { type InputHTMLAttributes, useId } from 'react';

/** A labelled line to write in, with its hint and what is wrong with it tied to it for screen readers. */
export function Field({
  label,
  hint,
  problem,
  wrong,
  onChange,
  ...input
}: {
  readonly label: string;
  readonly hint?: string;
  readonly problem?: string;
  readonly wrong?: boolean;
  readonly onChange: (value: string) => void;
} & Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'id'>) {
  const id = useId();
  const isWrong = wrong === true && problem !== undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        {...input}
        aria-invalid={isWrong}
        aria-describedby={isWrong || hint !== undefined ? `${id}-note` : undefined}
        onChange={(event) => onChange(event.target.value)}
      />
      {(isWrong || hint !== undefined) && (
        <p id={`${id}-note`} className={isWrong ? 'wrong' : 'hint'}>
          {isWrong ? problem : hint}
        </p>
      )}
    </div>
  );
}
