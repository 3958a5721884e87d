import { existsSync, readFileSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { BUILT_CLIENT } from '../index.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', '..', BUILT_CLIENT);
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The policy under which a place serves the client (`own`: its host and port). */
function policy(own: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    `connect-src 'self' wss://${own}`,
    "worker-src 'self' blob:",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Serves the built client as a place does. */
export function serveBuiltClient(own: () => string): (path: string, response: ServerResponse) => boolean {
  return (path, response) => {
    const file = join(FOLDER, path === '/' ? 'index.html' : path);
    if (!file.startsWith(FOLDER) || !existsSync(file) || !statSync(file).isFile()) return false;
    response.setHeader('Content-Type', types[extname(file)] ?? 'application/octet-stream');
    response.setHeader('Content-Security-Policy', policy(own()));
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.end(readFileSync(file));
    return true;
  };
}
