import type { DistributedInterface } from '../objects/interface.ts';
import { annotationContainer, whiteboard } from './annotations.ts';
import { content, contentManager, pptContent } from './content.ts';
import { meeting } from './meeting.ts';
import { poll } from './poll.ts';
import { uploadManager, uploadStream } from './upload.ts';

/** All that a meeting is made of, the root first. */
export const meetingInterfaces: readonly DistributedInterface[] = [
  meeting,
  contentManager,
  content,
  pptContent,
  annotationContainer,
  whiteboard,
  poll,
  uploadManager,
  uploadStream,
];
