/*
 * Loaded into the process of each test file. The runner gives up a file at its time limit, yet waits for the process, which a
 * hook that never ends keeps alive: one file would hold the whole suite. So the process ends itself a little later.
 */
const milliseconds = Number(process.env.SALLYPORT_TEST_FILE_MS);
if (Number.isFinite(milliseconds)) {
  setTimeout(() => {
    process.stderr.write(
      `${process.argv[1]}: still running ${milliseconds / 1000} s after its start, ended\n`,
    );
    process.exit(1);
  }, milliseconds).unref();
}
