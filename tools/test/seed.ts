import { configureGlobal } from 'fast-check';

/*
 * Loaded into the process of each test file. Properties are tried on the same cases in every run of the suite, so that a change
 * that is green stays green; `npm run long:properties` looks for cases that nobody has seen.
 */
const seed = Number(process.env.SALLYPORT_TEST_SEED);
if (Number.isInteger(seed)) configureGlobal({ seed });
