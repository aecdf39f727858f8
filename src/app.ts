// The HTTP application: built without listening, so that tests drive the very one that runs.

import type Router from '@koa/router';
import Koa from 'koa';
import { authorize } from './http/authorize.ts';
import { renderErrors } from './http/errors.ts';
import { Problem } from './http/problem.ts';
import { sourceAddress, type TrustedProxies } from './http/source-address.ts';
import type { Log } from './log.ts';

export interface AppOptions {
  log: Log;
  trustProxy: TrustedProxies;
  /** Open to all: what PortOne and machines call. */
  open: Router[];
  /** Behind the organizer's key. */
  organizer: Router[];
  apiKey: string | null;
}

export function createApp(options: AppOptions): Koa {
  // Not by Koa's own `proxy`, which believes the first X-Forwarded-For, whoever wrote it.
  const app = new Koa();
  const sourceOf = sourceAddress(options.trustProxy);
  // Koa prints what it cannot answer; a caller who hung up is no error of ours.
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return;
    options.log.error({ error: error.message }, 'answer failed');
  });
  app.use(renderErrors(options.log));
  app.use((ctx, next) => {
    ctx.request.ip = sourceOf(ctx.req);
    return next();
  });
  app.use(async (ctx, next) => {
    await next();
    ctx.set('X-Content-Type-Options', 'nosniff');
    if (ctx.status !== 200 || !ctx.type.startsWith('text/html')) {
      ctx.set('Cache-Control', 'no-store');
    }
  });
  for (const router of options.open) mount(app, router);
  if (options.apiKey !== null) {
    // Before the routes: what lies under /api, and whether, is no business of a stranger's.
    const authorized = authorize(options.apiKey);
    app.use((ctx, next) => (/^\/api(\/|$)/.test(ctx.path) ? authorized(ctx, next) : next()));
    for (const router of options.organizer) mount(app, router);
  }
  return app;
}

function mount(app: Koa, router: Router): void {
  app.use(router.routes());
  app.use(
    router.allowedMethods({
      throw: true,
      methodNotAllowed: () => new Problem('method_not_allowed', 'this path takes another method'),
      notImplemented: () => new Problem('method_not_allowed', 'this method is not known here'),
    }),
  );
}
