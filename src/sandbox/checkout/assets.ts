/** Serves the checkout page and its few files, and nothing else; each is read once. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Router from '@koa/router';
import { projectRoot } from '../../root.ts';
import type { RestMiddleware, RestState } from '../rest.ts';

const FOLDER = join(projectRoot, 'src', 'sandbox', 'checkout');
const FILES = ['style.css', 'page.js', 'draw.js', 'gloss.js', 'gloss.js', 'story.js', 'words.js'];

/** Nothing from elsewhere, and nothing written into the page itself. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function checkoutPage(): RestMiddleware {
  const router = new Router<RestState>();
  const files = new Map<string, Promise<Buffer | null>>();
  router.get('/checkout', async (ctx) => {
    const page = await read(files, 'page.html');
    if (page === null) {
      ctx.status = 404;
      ctx.body = 'The checkout page is part of the source tree, not of this build.\n';
      return;
    }
    ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'html';
    ctx.body = page;
  });
  router.get('/checkout/:file', async (ctx) => {
    const name = String(ctx.params.file);
    const content = FILES.includes(name) ? await read(files, name) : null;
    if (content === null) {
      ctx.status = 404;
      ctx.body = 'Not found\n';
      return;
    }
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Cache-Control', 'no-store');
    ctx.type = name.slice(name.lastIndexOf('.'));
    ctx.body = content;
  });
  return router.routes() as unknown as RestMiddleware;
}

function read(files: Map<string, Promise<Buffer | null>>, name: string): Promise<Buffer | null> {
  const known = files.get(name);
  if (known) return known;
  const reading = readFile(join(FOLDER, name)).catch(() => null);
  files.set(name, reading);
  return reading;
}
