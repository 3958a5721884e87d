import { buildMeeting } from './index.ts';

/*
 * Builds the browser client of web conferencing into dist/meeting when it is missing or older than what it is made of, and says how large
 * its parts are. With --force in any case.
 */
const built = await buildMeeting({ force: process.argv.includes('--force') });
if (built !== undefined) {
  console.log('build-meeting: dist/meeting is built; kilobytes as they are, and packed:');
  for (const { name, bytes, packed } of built)
    console.log(`  ${kilobytes(bytes)} ${kilobytes(packed)}  ${name}`);
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(0).padStart(6);
}
