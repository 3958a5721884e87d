import { useRef, useState } from 'react';
import type { MeetingCommands, MeetingSnapshot } from '#protocols/psom';
import { useWords } from '../i18n/words.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { Icon } from '../ui/icons.tsx';
import { Menu } from '../ui/menu.tsx';
import { ContentItem } from './content-item.tsx';
import { formatSize } from './content-url.ts';
import { type NewPoll, PollDialog } from './poll-dialog.tsx';
import type { UploadJobs } from './upload-jobs.ts';
import { UploadsList } from './uploads-list.tsx';

/** Everything that was brought into the meeting, in its order, and the way to bring more. */
export function ContentPanel({
  jobs,
  onLook,
}: {
  readonly jobs: UploadJobs;
  readonly onLook: (contentId: number) => void;
}) {
  const words = useWords().content;
  const { meeting, presenter } = useMeeting();
  return (
    <>
      <div className="panel-head">
        <h2>{words.title}</h2>
        {presenter && <AddMenu jobs={jobs} />}
      </div>
      <UploadsList jobs={jobs} />
      {meeting.contents.length === 0 ? (
        <p className="soft">{words.none}</p>
      ) : (
        <ol className="contents">
          {meeting.contents.map((content) => (
            <ContentItem key={content.id} content={content} onLook={onLook} />
          ))}
        </ol>
      )}
      {presenter && meeting.availableSpace !== undefined && (
        <p className="soft space">
          {words.space(formatSize(meeting.availableSpace, document.documentElement.lang))}
        </p>
      )}
    </>
  );
}

function AddMenu({ jobs }: { readonly jobs: UploadJobs }) {
  const words = useWords();
  const { meeting, commands, live } = useMeeting();
  const [asking, setAsking] = useState(false);
  const slides = useRef<HTMLInputElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const { content } = words;
  if (!live) return null;
  return (
    <>
      <Menu
        label={content.add}
        className="primary"
        button={
          <>
            <Icon name="plus" />
            {content.add}
          </>
        }
        items={[
          { label: content.addSlides, icon: 'slides', onChoose: () => slides.current?.click() },
          {
            label: content.addBoard,
            icon: 'board',
            onChoose: () => void addBoard(commands, meeting, content.board),
          },
          { label: content.addPoll, icon: 'poll', onChoose: () => setAsking(true) },
          { label: content.addFile, icon: 'file', onChoose: () => file.current?.click() },
        ]}
      />
      <input
        ref={slides}
        className="hidden"
        tabIndex={-1}
        type="file"
        aria-label={content.addSlides}
        accept="application/pdf,.pdf,image/png,image/jpeg"
        multiple
        onChange={(event) => {
          jobs.addSlides([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <input
        ref={file}
        className="hidden"
        tabIndex={-1}
        type="file"
        aria-label={content.addFile}
        multiple
        onChange={(event) => {
          for (const chosen of event.target.files ?? []) jobs.addFile(chosen);
          event.target.value = '';
        }}
      />
      {asking && (
        <PollDialog onClose={() => setAsking(false)} onCreate={(poll) => void addPoll(commands, poll)} />
      )}
    </>
  );
}

async function addBoard(
  commands: MeetingCommands,
  { contents }: MeetingSnapshot,
  name: (number: number) => string,
): Promise<void> {
  const titles = new Set(contents.map(({ title }) => title));
  let number = 1;
  while (titles.has(name(number))) number += 1;
  const created = await commands.create(name(number), 'Content.Whiteboard');
  if (created.ok) commands.present(created.value);
}

/** The title is the question, which a meeting may ask twice. */
async function addPoll(commands: MeetingCommands, { question, choices, several }: NewPoll): Promise<void> {
  for (let again = 1; again < 20; again++) {
    const title = again === 1 ? question.slice(0, 110) : `${question.slice(0, 110)} (${again})`;
    const created = await commands.create(title, 'Content.Poll');
    if (created.ok) {
      commands.setQuestion(created.value, question, choices, several);
      commands.setPollOpen(created.value, true);
      commands.present(created.value);
      return;
    }
    if (created.error !== 'title-taken') return;
  }
}
