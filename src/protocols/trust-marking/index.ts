export {
  ASSERTED_SOURCE,
  type AssertedSource,
  formatAssertedSource,
  parseAssertedSource,
  type SourceKind,
} from './asserted-source.ts';
