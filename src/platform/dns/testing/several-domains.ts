import { readFileSync } from 'node:fs';
import { type EdgeDocument, parseEdgeDocument } from '#platform/topology';
import { edited } from '../../topology/testing/documents.ts';
import { scenarioFile } from '../../topology/testing/scenarios.ts';
import { virtualFiles } from '../../topology/testing/virtual-files.ts';

/** Everything is on, for domains beside and below the first, with an A/V name in none of them. */
export function severalDomains(): EdgeDocument {
  return edgeFrom(
    edited(
      edited(
        readFileSync(scenarioFile('everything'), 'utf8'),
        'sipDomains: [example.com]',
        'sipDomains: [example.com, eu.example.com, example.net]',
      ),
      'av: av.example.com',
      'av: relay.example.org',
    ),
  );
}

/** A document from its text, with imagined files. */
export function edgeFrom(text: string): EdgeDocument {
  const parsed = parseEdgeDocument(text, { file: 'edge.yaml', files: virtualFiles });
  if (parsed.ok) return parsed.value;
  throw new Error(JSON.stringify(parsed.error));
}
