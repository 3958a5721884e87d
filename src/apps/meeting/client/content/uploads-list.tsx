import { useWords } from '../i18n/words.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { Icon } from '../ui/icons.tsx';
import type { UploadJob, UploadJobs } from './upload-jobs.ts';

/** What is on its way, how far it is, and what went wrong. */
export function UploadsList({ jobs }: { readonly jobs: UploadJobs }) {
  const words = useWords().content;
  if (jobs.jobs.length === 0) return null;
  return (
    <section className="uploads" aria-label={words.uploads}>
      <h3>{words.uploads}</h3>
      <ul>
        {jobs.jobs.map((job) => (
          <li key={job.id}>
            {job.failure === undefined ? <Running job={job} jobs={jobs} /> : <Failed job={job} jobs={jobs} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Running({ job, jobs }: { readonly job: UploadJob; readonly jobs: UploadJobs }) {
  const words = useWords();
  const { meeting } = useMeeting();
  const upload = meeting.uploads.find(({ title }) => title === job.title);
  const part = upload === undefined || upload.length === 0 ? 0 : upload.sent / upload.length;
  const percent = Math.round((100 * (job.page - 1 + part)) / job.pages);
  return (
    <>
      <span className="upload-title">{job.title}</span>
      <button
        type="button"
        className="plain"
        aria-label={`${words.cancel}: ${job.title}`}
        onClick={() => jobs.cancel(job.id)}
      >
        <Icon name="close" />
      </button>
      <progress max={100} value={percent} aria-label={job.title} />
      <span className="soft">
        {job.pages > 1 ? words.content.preparing(job.page, job.pages) : words.content.percent(percent)}
      </span>
    </>
  );
}

function Failed({ job, jobs }: { readonly job: UploadJob; readonly jobs: UploadJobs }) {
  const words = useWords();
  return (
    <>
      <span className="upload-title">{job.title}</span>
      <button
        type="button"
        className="plain"
        aria-label={`${words.close}: ${job.title}`}
        onClick={() => jobs.dismiss(job.id)}
      >
        <Icon name="close" />
      </button>
      <p role="alert" className="wrong">
        {words.content.failures[job.failure ?? 'unreadable']}
      </p>
    </>
  );
}
