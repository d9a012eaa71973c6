import type { Request, RequestHandler, Response } from 'express';
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

/**
 * Nothing inline, nothing from elsewhere. PatternFly sets style attributes through the DOM, which `style-src` does not
 * forbid; the editor's style sheets are constructed ones, which it does not either.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};
/** Paths that are never pages: what is unknown below them is answered by the API's own refusal. */
const machinePaths = /^\/(?:api|healthz|readyz|metrics)(?:\/|$)/;

/** The files of one build by their URL path. */
interface Build {
  readonly of: number;
  readonly files: ReadonlySet<string>;
}

/**
 * Serves the built wizard: its files by their names (which carry a hash and so never change), and its one page at
 * every address that a person may have open. Only files that were listed are served, so no path leads out.
 * @param folder `ui/wizard/dist`; it may be built, or built anew, while the daemon runs
 */
export function wizardFiles(folder: string): RequestHandler {
  let build: Build | undefined;
  const present = (): Build | undefined => {
    const of = statSync(join(folder, 'index.html'), { throwIfNoEntry: false })?.mtimeMs;
    if (of === undefined) return undefined;
    if (build?.of !== of) build = { of, files: new Set(filesIn(folder)) };
    return build;
  };
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const isPage = isForPerson(request);
    const isAsset = /^\/assets\/[\w.-]+$/.test(request.path);
    if (!isPage && !isAsset) return next();
    const built = present();
    const name = isAsset ? request.path.slice(1) : 'index.html';
    if (!built?.files.has(name)) return next();
    return send(request, response, { folder, name, isCompressed: built.files.has(`${name}.gz`) });
  };
}

/** A browser that goes to an address; programs ask for JSON or for anything. */
const isForPerson = (request: Request): boolean =>
  !machinePaths.test(request.path) &&
  !request.path.startsWith('/assets/') &&
  (request.headers.accept ?? '').includes('text/html');

function filesIn(folder: string): string[] {
  const assets = readdirSync(join(folder, 'assets')).map((name) => `assets/${name}`);
  return ['index.html', ...assets].filter(
    (name) => types[extname(name)] !== undefined || name.endsWith('.gz'),
  );
}

function send(
  request: Request,
  response: Response,
  file: { readonly folder: string; readonly name: string; readonly isCompressed: boolean },
): void {
  const isPage = file.name === 'index.html';
  const isCompressed = file.isCompressed && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  response.setHeader('Content-Type', types[extname(file.name)] ?? 'application/octet-stream');
  response.setHeader('Cache-Control', isPage ? 'no-store' : 'public, max-age=31536000, immutable');
  if (isPage) response.setHeader('Content-Security-Policy', contentSecurityPolicy);
  if (file.isCompressed) response.setHeader('Vary', 'Accept-Encoding');
  if (isCompressed) response.setHeader('Content-Encoding', 'gzip');
  response.sendFile(isCompressed ? `${file.name}.gz` : file.name, {
    root: file.folder,
    cacheControl: false,
    etag: false,
    lastModified: false,
    acceptRanges: false,
  });
}
