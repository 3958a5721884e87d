import { type SubmitEvent, useState } from 'react';
import type { ContentView, Visibility } from '#protocols/psom';
import { useWords } from '../i18n/words.tsx';
import { Field } from '../join/field.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { Dialog, Sure } from '../ui/dialog.tsx';
import { Icon, type IconName } from '../ui/icons.tsx';
import { Menu, type MenuItem } from '../ui/menu.tsx';
import { Download } from './file-page.tsx';

const icons: { readonly [type in ContentView['type']]: IconName } = {
  'Content.Ppt': 'slides',
  'Content.Whiteboard': 'board',
  'Content.Poll': 'poll',
  'Content.NativeFileOnly': 'file',
};
const visibilities: readonly Visibility[] = ['everyone', 'presenters', 'organizer'];

/** One content of the list. */
export function ContentItem({
  content,
  onLook,
}: {
  readonly content: ContentView;
  readonly onLook: (contentId: number) => void;
}) {
  const words = useWords().content;
  const { meeting, presenter, live } = useMeeting();
  const [asking, setAsking] = useState<'rename' | 'delete' | 'visibility'>();
  const shown = meeting.activeContent === content.id;
  const close = () => setAsking(undefined);
  return (
    <li className={shown ? 'content content-shown' : 'content'}>
      <Icon name={icons[content.type]} />
      <div className="content-text">
        {content.file === undefined ? (
          <button type="button" className="content-title" onClick={() => onLook(content.id)}>
            {content.title}
          </button>
        ) : (
          <span className="content-title">{content.title}</span>
        )}
        <p className="soft">
          {words.types[content.type]}
          {content.visibility !== 'everyone' && ` · ${words.visibilities[content.visibility]}`}
          {shown && <span className="badge badge-brass">{words.shown}</span>}
        </p>
      </div>
      {presenter && live && <ContentMenu content={content} onAsk={setAsking} />}
      {content.file !== undefined && <Download file={content.file} />}
      {asking === 'rename' && <Rename content={content} onClose={close} />}
      {asking === 'visibility' && <WhoSees content={content} onClose={close} />}
      {asking === 'delete' && <Delete content={content} onClose={close} />}
    </li>
  );
}

function ContentMenu({
  content,
  onAsk,
}: {
  readonly content: ContentView;
  readonly onAsk: (what: 'rename' | 'delete' | 'visibility') => void;
}) {
  const words = useWords();
  const { meeting, commands } = useMeeting();
  const present: MenuItem = { label: words.stage.present, onChoose: () => commands.present(content.id) };
  const presentable = content.file === undefined && meeting.activeContent !== content.id;
  return (
    <Menu
      label={words.content.more(content.title)}
      button={<Icon name="more" />}
      items={[
        ...(presentable ? [present] : []),
        { label: words.content.first, onChoose: () => commands.moveFirst(content.id) },
        { label: words.content.rename, onChoose: () => onAsk('rename') },
        { label: words.content.visibility, onChoose: () => onAsk('visibility') },
        { label: words.content.delete, danger: true, onChoose: () => onAsk('delete') },
      ]}
    />
  );
}

type Asked = { readonly content: ContentView; readonly onClose: () => void };

function Delete({ content, onClose }: Asked) {
  const words = useWords().content;
  const { commands } = useMeeting();
  return (
    <Sure
      title={words.delete}
      text={words.deleteSure(content.title)}
      onSure={() => commands.deleteContent(content.id)}
      onClose={onClose}
    />
  );
}

function Rename({ content, onClose }: Asked) {
  const words = useWords().content;
  const { commands } = useMeeting();
  const [title, setTitle] = useState(content.title);
  const [failure, setFailure] = useState<'taken' | 'not-allowed'>();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (title.trim() === '') return;
    void commands.rename(content.id, title.trim()).then((refused) => {
      setFailure(refused);
      if (refused === undefined) onClose();
    });
  };
  return (
    <Dialog title={words.rename} onClose={onClose}>
      <form onSubmit={submit}>
        <Field
          label={words.newTitle}
          value={title}
          onChange={setTitle}
          maxLength={120}
          wrong={failure !== undefined}
          problem={words.failures[failure ?? 'taken']}
        />
        <div className="actions">
          <button type="submit" className="primary">
            {words.rename}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function WhoSees({ content, onClose }: Asked) {
  const words = useWords().content;
  const { commands } = useMeeting();
  return (
    <Dialog title={words.visibility} onClose={onClose}>
      <fieldset className="ballot">
        <legend>{content.title}</legend>
        {visibilities.map((visibility) => (
          <label key={visibility}>
            <input
              type="radio"
              name="visibility"
              checked={content.visibility === visibility}
              onChange={() => commands.setVisibility(content.id, visibility)}
            />
            <span>{words.visibilities[visibility]}</span>
          </label>
        ))}
      </fieldset>
    </Dialog>
  );
}
