import { useEffect, useState } from 'react';
import { openWebSocket } from '../browser/open-web-socket.ts';
import { fetchConfig, type ServerConfig } from '../browser/server-config.ts';
import { useWords } from '../i18n/words.tsx';
import { Icon } from '../ui/icons.tsx';

export type CheckState =
  | { readonly kind: 'checking' }
  | { readonly kind: 'good'; readonly config: ServerConfig }
  | { readonly kind: 'no-config' }
  | { readonly kind: 'no-signalling'; readonly host: string };

/** Looks whether a meeting could be joined from here: the server's word, and a WebSocket to where SIP is spoken. */
export function useConnectionCheck(): { readonly state: CheckState; readonly again: () => void } {
  const [state, setState] = useState<CheckState>({ kind: 'checking' });
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a further round is the reason to look again
  useEffect(() => {
    let current = true;
    void check().then((found) => {
      if (current) setState(found);
    });
    return () => {
      current = false;
    };
  }, [round]);
  const again = () => {
    setState({ kind: 'checking' });
    setRound(round + 1);
  };
  return { state, again };
}

async function check(): Promise<CheckState> {
  const config = await fetchConfig();
  if (config === undefined) return { kind: 'no-config' };
  const reached = await new Promise<boolean>((resolve) => {
    const channel = openWebSocket(config.signalling, 'sip', {
      onOpen: () => {
        resolve(true);
        channel.close();
      },
      onData: () => undefined,
      onClose: () => resolve(false),
    });
  });
  return reached
    ? { kind: 'good', config }
    : { kind: 'no-signalling', host: new URL(config.signalling).host };
}

export function ConnectionCheck({ state, again }: ReturnType<typeof useConnectionCheck>) {
  const { check: words } = useWords().join;
  const bad = state.kind === 'no-config' || state.kind === 'no-signalling';
  return (
    <div className={`check check-${bad ? 'bad' : state.kind}`}>
      <p role="status">
        {state.kind === 'good' ? <Icon name="check" /> : <span className="dot" aria-hidden="true" />}
        {state.kind === 'checking' && words.checking}
        {state.kind === 'good' && words.good}
        {state.kind === 'no-config' && words.noConfig}
        {state.kind === 'no-signalling' && words.noSignalling(state.host)}
      </p>
      {bad && (
        <button type="button" onClick={again}>
          {words.again}
        </button>
      )}
    </div>
  );
}
