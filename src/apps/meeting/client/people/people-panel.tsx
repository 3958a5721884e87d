import { useState } from 'react';
import type { UserView } from '#protocols/psom';
import { useWords } from '../i18n/words.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { Sure } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { Menu } from '../ui/menu.tsx';

/** Who is there, and what presenters can do about it. */
export function PeoplePanel() {
  const words = useWords();
  const { meeting, commands, presenter, live } = useMeeting();
  const [removing, setRemoving] = useState<UserView>();
  const [ending, setEnding] = useState(false);
  return (
    <>
      <div className="panel-head">
        <h2>{words.people.title}</h2>
        <span className="soft">{words.room.people(meeting.users.length)}</span>
      </div>
      <ul className="people">
        {meeting.users.map((user) => (
          <Person key={user.userId} user={user} onRemove={() => setRemoving(user)} />
        ))}
      </ul>
      {presenter && (
        <div className="meeting-controls">
          <button type="button" disabled={!live} onClick={() => commands.setLocked(!meeting.locked)}>
            <Icon name="lock" />
            {meeting.locked ? words.people.unlock : words.people.lock}
          </button>
          <p className="soft">{words.people.lockHint}</p>
          <button type="button" className="danger-text" disabled={!live} onClick={() => setEnding(true)}>
            {words.people.end}
          </button>
        </div>
      )}
      {removing !== undefined && (
        <Sure
          title={words.people.removeShort}
          text={words.people.removeSure(removing.displayName)}
          onSure={() => commands.removeUser(removing.userId)}
          onClose={() => setRemoving(undefined)}
        />
      )}
      {ending && (
        <Sure
          title={words.people.end}
          text={words.people.endSure}
          onSure={() => commands.endMeeting()}
          onClose={() => setEnding(false)}
        />
      )}
    </>
  );
}

function Person({ user, onRemove }: { readonly user: UserView; readonly onRemove: () => void }) {
  const words = useWords().people;
  const { meeting, commands, presenter, live } = useMeeting();
  const { userId, displayName } = user;
  const self = userId === meeting.self.userId;
  return (
    <li>
      <span className={`initial initial-${userId % 5}`} aria-hidden="true">
        {[...displayName][0]?.toUpperCase() ?? '?'}
      </span>
      <span className="person">
        <span className="name">
          {displayName}
          {self && <span className="soft"> ({words.you})</span>}
        </span>
        <span className="soft">
          {[user.presenter ? words.presenter : '', user.outside ? words.outside : '']
            .filter((word) => word !== '')
            .join(' · ')}
        </span>
      </span>
      {presenter && live && !self && (
        <Menu
          label={words.more(displayName)}
          button={<Icon name="more" />}
          items={[
            {
              label: user.presenter ? words.demoteShort : words.promoteShort,
              onChoose: () => commands.setPresenter(userId, !user.presenter),
            },
            { label: words.removeShort, danger: true, onChoose: onRemove },
          ]}
        />
      )}
    </li>
  );
}
