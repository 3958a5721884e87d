import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { MeetingCommands, MeetingSnapshot, UploadSource } from '#protocols/psom';
import type { Words } from '../i18n/en.ts';
import { useWords } from '../i18n/words.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { announce } from '../ui/announcer.tsx';

export type JobFailure = keyof Words['content']['failures'];

/** Something that a user brings into the meeting: one file, or slides one by one. */
export interface UploadJob {
  readonly id: number;
  readonly title: string;
  /** Slides: which one, of how many; for a file 1 of 1. */
  readonly page: number;
  readonly pages: number;
  readonly failure: JobFailure | undefined;
}

export interface UploadJobs {
  readonly jobs: readonly UploadJob[];
  addFile(file: File): void;
  /** A PDF, or images in the order of their names. */
  addSlides(files: readonly File[]): void;
  cancel(id: number): void;
  /** Takes a failed one off the list. */
  dismiss(id: number): void;
}

/** A meeting takes a few uploads of one participant at a time. */
const AT_A_TIME = 2;
const LONGEST_TITLE = 120;

/** Of one file or slide, each after the connection was lost on the way. */
const MOST_TRIES = 5;

type Report = (part: Partial<UploadJob>) => void;
/** Uploads, and again when the connection was lost on the way and is back. */
type Carry = (id: number, upload: () => Promise<JobFailure | undefined>) => Promise<JobFailure | undefined>;

function useCarry(meeting: MeetingSnapshot, isCancelled: (id: number) => boolean): Carry {
  const latest = useRef(meeting);
  latest.current = meeting;
  const waiting = useRef<(() => void)[]>([]);
  useEffect(() => {
    if (meeting.phase === 'live') for (const go of waiting.current.splice(0)) go();
  }, [meeting.phase]);
  return useCallback(
    async (id, upload) => {
      for (let tries = 1; ; tries++) {
        const failure = await upload();
        if (failure !== 'dropped' || tries === MOST_TRIES || isCancelled(id)) return failure;
        if (latest.current.phase !== 'live') await new Promise<void>((go) => waiting.current.push(go));
      }
    },
    [isCancelled],
  );
}

/** Runs uploads and keeps how far they are. */
export function useUploadJobs(): UploadJobs {
  const { meeting, commands } = useMeeting();
  const words = useWords();
  const [jobs, setJobs] = useState<readonly UploadJob[]>([]);
  const serial = useRef(0);
  const latest = useRef(meeting);
  latest.current = meeting;
  const cancelled = useRef(new Set<number>());
  const waiting = useRef<(() => void)[]>([]);
  const running = useRef(0);

  const run = useCallback(
    (title: string, work: (id: number, report: Report) => Promise<JobFailure | undefined>) => {
      const id = ++serial.current;
      const report: Report = (part) =>
        setJobs((all) => all.map((job) => (job.id === id ? { ...job, ...part } : job)));
      setJobs((all) => [...all, { id, title, page: 1, pages: 1, failure: undefined }]);
      const begin = async (): Promise<JobFailure | undefined> => {
        if (running.current >= AT_A_TIME) await new Promise<void>((go) => waiting.current.push(go));
        running.current += 1;
        if (cancelled.current.has(id)) return 'cancelled';
        return work(id, report);
      };
      void begin()
        .catch((): JobFailure => 'unreadable')
        .then((failure) => {
          running.current -= 1;
          waiting.current.shift()?.();
          if (failure === undefined) announce(words.room.uploadDone(title));
          if (failure === undefined || failure === 'cancelled')
            setJobs((all) => all.filter((job) => job.id !== id));
          else report({ failure });
        });
    },
    [words],
  );
  const isCancelled = useCallback((id: number) => cancelled.current.has(id), []);
  const carry = useCarry(meeting, isCancelled);
  return useMemo(
    () => ({
      jobs,
      addFile: (file) => {
        const title = titleOf(file.name);
        const isThere = () =>
          latest.current.contents.some((one) => one.title === title && one.file?.size === file.size);
        run(title, (id) => carry(id, fileUpload(commands, file, title, isThere)));
      },
      addSlides: (files) => {
        const [first] = files;
        if (first === undefined) return;
        const title = titleOf(first.name.replace(/\.[^.]+$/, ''));
        run(title, (id, report) =>
          uploadSlides(commands, files, title, report, (upload) =>
            isCancelled(id) ? Promise.resolve('cancelled') : carry(id, upload),
          ),
        );
      },
      cancel: (id) => {
        cancelled.current.add(id);
        const job = jobs.find((one) => one.id === id);
        const upload = latest.current.uploads.find(({ title }) => title === job?.title);
        if (upload !== undefined) commands.cancelUpload(upload.cookie);
        // One that waits for its turn has nothing to wait for.
        else setJobs((all) => all.filter((one) => one.id !== id));
      },
      dismiss: (id) => setJobs((all) => all.filter((job) => job.id !== id)),
    }),
    [jobs, run, commands, isCancelled, carry],
  );
}

/** One file, as often as it takes: the end of an upload may have been told as the connection went. */
function fileUpload(
  commands: MeetingCommands,
  file: File,
  title: string,
  isThere: () => boolean,
): () => Promise<JobFailure | undefined> {
  let tries = 0;
  return async () => {
    const failure = await commands.uploadFile(title, sourceOf(file));
    tries += 1;
    return failure === 'title-taken' && tries > 1 && isThere() ? undefined : failure;
  };
}

/** Creates the slides, then brings one image after the other; what is cancelled half way goes altogether. */
async function uploadSlides(
  commands: MeetingCommands,
  files: readonly File[],
  title: string,
  report: Report,
  carry: (upload: () => Promise<JobFailure | undefined>) => Promise<JobFailure | undefined>,
): Promise<JobFailure | undefined> {
  const source = await openSlides(files);
  report({ pages: source.pages });
  if (source.pages === 0) return 'no-pages';
  const created = await commands.create(title, 'Content.Ppt');
  if (!created.ok) return created.error;
  let failure: JobFailure | undefined;
  for (let page = 1; page <= source.pages && failure === undefined; page++) {
    report({ page });
    const image = await source.page(page);
    failure = await carry(() => commands.uploadSlide(created.value, page, title, sourceOf(image)));
    // The first slide is enough to begin with.
    if (failure === undefined && page === 1) commands.present(created.value);
  }
  await source.close();
  if (failure === 'cancelled') commands.deleteContent(created.value);
  return failure;
}

async function openSlides(files: readonly File[]) {
  const [first] = files;
  if (first !== undefined && (first.type === 'application/pdf' || /\.pdf$/i.test(first.name))) {
    const { openPdf } = await import('./pdf-slides.ts');
    return openPdf(first);
  }
  const images = files
    .filter(({ type }) => type === 'image/png' || type === 'image/jpeg')
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return {
    pages: images.length,
    page: async (number: number): Promise<Blob> => images[number - 1] ?? new Blob(),
    close: async () => undefined,
  };
}

/** As long as a title may be; of a file name the ending stays. */
function titleOf(name: string): string {
  if (name.length <= LONGEST_TITLE) return name;
  const ending = /\.[^.]{1,10}$/.exec(name)?.[0] ?? '';
  return name.slice(0, LONGEST_TITLE - ending.length) + ending;
}

function sourceOf(blob: Blob): UploadSource {
  return {
    length: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}
