import { type ReactNode, useEffect, useId, useRef } from 'react';
import { useWords } from '../i18n/words.tsx';
import { Icon } from './icons.tsx';

/** A question or a form above everything else; the browser keeps the focus in it and gives it back. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    if (shown !== null && !shown.open) shown.showModal();
    return () => {
      shown?.close();
      // What opened it may be gone with its menu.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" className="plain" aria-label={words.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** Asks before something that cannot be taken back. */
export function Sure({
  title,
  text,
  onSure,
  onClose,
}: {
  readonly title: string;
  readonly text: string;
  readonly onSure: () => void;
  readonly onClose: () => void;
}) {
  const words = useWords();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <div className="actions">
        <button type="button" onClick={onClose}>
          {words.cancel}
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            onSure();
            onClose();
          }}
        >
          {title}
        </button>
      </div>
    </Dialog>
  );
}
