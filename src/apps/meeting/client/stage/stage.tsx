import { useState } from 'react';
import type { ContentView } from '#protocols/psom';
import { FilePage } from '../content/file-page.tsx';
import { PollPage } from '../content/poll-page.tsx';
import { useWords } from '../i18n/words.tsx';
import { nameOf, useMeeting } from '../room/meeting-context.tsx';
import { Icon } from '../ui/icons.tsx';
import { Slides } from './slides.tsx';
import { Surface } from './surface.tsx';
import { Toolbar } from './toolbar.tsx';
import { firstBrush } from './tools.ts';

/** A whiteboard is as high as this, in thousandths of its width. */
const BOARD_HEIGHT = 562;

/** What is presented, or what somebody looks at alone. */
export function Stage({
  looked,
  onLook,
}: {
  readonly looked: number | undefined;
  readonly onLook: (contentId: number | undefined) => void;
}) {
  const words = useWords();
  const { meeting, presenter } = useMeeting();
  const find = (id: number | undefined) => meeting.contents.find((content) => content.id === id);
  const active = find(meeting.activeContent);
  const content = find(looked) ?? active;
  if (content === undefined) {
    return (
      <div className="empty">
        <svg className="empty-gate" viewBox="0 0 120 120" aria-hidden="true">
          <path d="M20 118V56a40 40 0 0 1 80 0v62M36 118V58a24 24 0 0 1 48 0v60" />
        </svg>
        <h2>{words.stage.nothing}</h2>
        <p>{presenter ? words.stage.nothingPresenter : words.stage.nothingText}</p>
      </div>
    );
  }
  return <Shown key={content.id} content={content} active={active?.id === content.id} onLook={onLook} />;
}

function Shown({
  content,
  active,
  onLook,
}: {
  readonly content: ContentView;
  readonly active: boolean;
  readonly onLook: (contentId: number | undefined) => void;
}) {
  const words = useWords();
  const [brush, setBrush] = useState(firstBrush);
  const [alone, setAlone] = useState<number>();
  const drawable = content.annotations !== undefined;
  const page = content.slides === undefined ? 1 : ((active ? undefined : alone) ?? content.slides.location);
  return (
    <>
      <StageHead content={content} active={active} onLook={onLook} />
      <div className="stage-body">
        {content.slides !== undefined && (
          <Slides content={content} page={page} active={active} brush={brush} onPage={setAlone} />
        )}
        {content.type === 'Content.Whiteboard' && (
          <div className="page page-board" style={{ '--ratio': 1_000 / BOARD_HEIGHT } as object}>
            <Surface
              content={content}
              page={1}
              height={BOARD_HEIGHT}
              brush={brush}
              label={`${words.stage.boardLabel}: ${content.title}`}
            />
          </div>
        )}
        {content.poll !== undefined && <PollPage content={content} poll={content.poll} />}
        {content.file !== undefined && <FilePage content={content} file={content.file} />}
      </div>
      {drawable && <Toolbar content={content} page={page} brush={brush} onChange={setBrush} />}
    </>
  );
}

function StageHead({
  content,
  active,
  onLook,
}: {
  readonly content: ContentView;
  readonly active: boolean;
  readonly onLook: (contentId: number | undefined) => void;
}) {
  const words = useWords();
  const { meeting, commands, presenter, live } = useMeeting();
  const presentable = content.type !== 'Content.NativeFileOnly';
  const { activePresenter } = meeting;
  const by = nameOf(meeting, activePresenter, words.room.someone);
  const presented = activePresenter === 0 ? words.content.shown : words.stage.presentedBy(by);
  return (
    <header className="stage-head">
      <div>
        <h2>{content.title}</h2>
        <p>{active ? presented : words.stage.alone}</p>
      </div>
      {!active && meeting.activeContent !== 0 && (
        <button type="button" onClick={() => onLook(undefined)}>
          <Icon name="left" />
          {words.stage.follow}
        </button>
      )}
      {presenter && !active && presentable && (
        <button
          type="button"
          className="primary"
          disabled={!live}
          onClick={() => {
            commands.present(content.id);
            onLook(undefined);
          }}
        >
          {words.stage.present}
        </button>
      )}
      {presenter && active && (
        <button type="button" disabled={!live} onClick={() => commands.stopPresenting(content.id)}>
          {words.stage.stop}
        </button>
      )}
    </header>
  );
}
