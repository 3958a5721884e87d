import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';
import { en, type Words } from './en.ts';
import { fr } from './fr.ts';

const languages = { en, fr };
export type Language = keyof typeof languages;
const KEY = 'language';

interface Spoken {
  readonly language: Language;
  readonly words: Words;
  readonly choose: (language: Language) => void;
}
const SpokenContext = createContext<Spoken>({ language: 'en', words: en, choose: () => undefined });

/** Gives everything below the words of the chosen language; the browser's own at first. */
export function Speaking({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  const choose = useCallback((chosen: Language) => {
    setLanguage(chosen);
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // A browser that keeps nothing asks again next time.
    }
  }, []);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const spoken = useMemo(() => ({ language, words: languages[language], choose }), [language, choose]);
  return <SpokenContext value={spoken}>{children}</SpokenContext>;
}

export function useWords(): Words {
  return use(SpokenContext).words;
}

/** Chooses between the languages. */
export function LanguageChoice() {
  const { language, choose } = use(SpokenContext);
  return (
    <fieldset className="languages">
      {Object.entries(languages).map(([code, words]) => (
        <button
          key={code}
          type="button"
          lang={code}
          aria-pressed={code === language}
          onClick={() => choose(code as Language)}
        >
          {words.language}
        </button>
      ))}
    </fieldset>
  );
}

function firstLanguage(): Language {
  const kept = readKept();
  if (kept === 'en' || kept === 'fr') return kept;
  return navigator.language.toLowerCase().startsWith('fr') ? 'fr' : 'en';
}
function readKept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
