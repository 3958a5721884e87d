import type { ContentView } from '#protocols/psom';
import { useWords } from '../i18n/words.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { Icon } from '../ui/icons.tsx';
import { contentUrl, formatSize } from './content-url.ts';

type File = NonNullable<ContentView['file']>;

/** A hand-out as a page: what it is, and the way to have it. */
export function FilePage({ content, file }: { readonly content: ContentView; readonly file: File }) {
  return (
    <div className="card file-card">
      <Icon name="file" />
      <h3>{content.title}</h3>
      <Download file={file} />
    </div>
  );
}

export function Download({ file }: { readonly file: File }) {
  const words = useWords();
  const { meeting, live } = useMeeting();
  const size = formatSize(file.size, document.documentElement.lang);
  return (
    <a
      className="button"
      href={live ? contentUrl(meeting.contentToken, file.hash) : undefined}
      role={live ? undefined : 'link'}
      aria-disabled={!live}
      download={file.name}
    >
      <Icon name="download" />
      {words.content.download}
      <span className="hidden"> {file.name} </span>
      <span className="soft">{size}</span>
    </a>
  );
}
