// GET /openapi.json and /docs: the API's document, and a page that renders it from our own files.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import Router from '@koa/router';
import { Problem } from '../http/problem.ts';
import { openApiDocument } from './openapi.ts';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Seatline API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

/** A file of its own, for the page allows no script within itself. */
const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#page',
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  // Theirs would send the document to a stranger's server.
  validatorUrl: null,
});
`;

/** Nothing from elsewhere. Swagger UI sets styles on elements, and draws its icons from data. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The only files of swagger-ui-dist that are served. */
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

export function openApiRoutes(): Router {
  const router = new Router();
  let document: string | undefined;
  const files = new Map<string, Promise<Buffer>>();

  router.get('/openapi.json', (ctx) => {
    document ??= JSON.stringify(openApiDocument());
    ctx.type = 'application/json';
    ctx.body = document;
  });
  router.get('/docs', (ctx) => {
    // The page's addresses are relative, so that it works under any prefix.
    if (ctx.path.endsWith('/')) return ctx.redirect('../docs');
    ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.type = 'text/html';
    ctx.body = PAGE;
  });
  router.get('/docs/:file', async (ctx) => {
    const name = ctx.params.file ?? '';
    if (name !== 'start.js' && !FILES.includes(name)) {
      throw new Problem('not_found', `there is no ${ctx.path}`);
    }
    const content = name === 'start.js' ? START : await read(files, name);
    ctx.type = name.slice(name.lastIndexOf('.'));
    ctx.body = content;
  });
  return router;
}

/** Each file is read once, when it is first asked for: most processes never are. */
function read(files: Map<string, Promise<Buffer>>, name: string): Promise<Buffer> {
  const known = files.get(name);
  if (known) return known;
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const reading = readFile(join(folder, name));
  files.set(name, reading);
  reading.catch(() => files.delete(name));
  return reading;
}
