import type { ReactNode } from 'react';
import { LanguageChoice, useWords } from '../i18n/words.tsx';
import { Mark } from '../ui/icons.tsx';

/** What all pages outside of a meeting have in common: the gate on one side, the matter on the other. */
export function Frame({ children }: { readonly children: ReactNode }) {
  const words = useWords();
  return (
    <div className="frame">
      <aside className="gate" aria-hidden="true">
        <svg aria-hidden="true" viewBox="0 0 400 640" preserveAspectRatio="xMidYMax slice">
          {[190, 158, 126, 94].map((radius, index) => (
            <path
              key={radius}
              className={`arch arch-${index}`}
              d={`M${200 - radius} 640V${312 + index * 33}a${radius} ${radius} 0 0 1 ${radius * 2} 0V640`}
            />
          ))}
          <path className="arch-light" d="M138 640V456a62 62 0 0 1 124 0v184z" />
        </svg>
        <p>{words.join.slogan}</p>
      </aside>
      <div className="matter">
        <header className="brand">
          <Mark />
          <span>{words.product}</span>
          <LanguageChoice />
        </header>
        <main>{children}</main>
      </div>
    </div>
  );
}
