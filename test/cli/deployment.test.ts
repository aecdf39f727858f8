// What is shipped agrees with itself: .env.example, docker-compose.yml, Dockerfile, README, code.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { REFUSAL_STATUS } from '../../src/confirm/verdict.ts';
import { answerSchemas } from '../../src/operations/openapi-answers.ts';
import { projectRoot } from '../../src/root.ts';

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** Read by docker-compose.yml alone. */
const COMPOSE_ONLY = ['POSTGRES_PASSWORD'];

/** The settings that src/config.ts knows, with their defaults as text ('' where there is none). */
const settings = settingsOf(read('src/config.ts'));
const example = exampleOf(read('.env.example'));

function settingsOf(source: string): Map<string, string> {
  const block = /const environment = z\.object\(\{\n([\s\S]*?)\n\}\);/.exec(source)?.[1] ?? '';
  const parts = block.split(/^ {2}([A-Z][A-Z0-9_]*): /m).slice(1);
  const known = new Map<string, string>();
  for (let i = 0; i < parts.length; i += 2) {
    const text = /\.default\(([^)]*)\)/.exec(parts[i + 1] ?? '')?.[1] ?? '';
    const number = /^[\d_]+$/.test(text) ? text.replaceAll('_', '') : undefined;
    known.set(parts[i] ?? '', number ?? text.replace(/^'|'$/g, ''));
  }
  return known;
}

function exampleOf(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^#?([A-Z][A-Z0-9_]*)=(.*)$/gm)];
  return new Map(lines.map(([, name = '', value = '']) => [name, value]));
}

describe('.env.example', () => {
  test('lists every setting of src/config.ts and no other, each once', () => {
    expect(settings.size).toBeGreaterThan(30);
    expect([...example.keys()].sort()).toEqual([...settings.keys(), ...COMPOSE_ONLY].sort());
    const named = read('.env.example').match(/^#?[A-Z][A-Z0-9_]*=/gm) ?? [];
    expect(named).toHaveLength(example.size);
  });

  test('shows the very defaults of the code', () => {
    for (const [name, value] of settings) {
      const shown = example.get(name) ?? '';
      // The same, though it may have a clearer word for it: `off` says more than 0.
      expect(readConfig({ [name]: shown }), name).toEqual(readConfig({}));
      expect(shown === '', name).toBe(value === '');
    }
  });

  test('is a valid configuration as it stands, for development', () => {
    expect(readConfig(Object.fromEntries(example))).toEqual(readConfig({}));
  });

  test('has a line for what production refuses to start without, ready to be filled in', () => {
    const refused = () => readConfig({ NODE_ENV: 'production' });
    for (const name of ['API_KEY', 'CONFIRM_SECRET', 'PUBLIC_URL']) {
      expect(refused).toThrow(`${name}: must be set in production`);
      expect(read('.env.example')).toMatch(new RegExp(`^${name}=$`, 'm'));
    }
  });
});

describe('docker-compose.yml', () => {
  const compose = read('docker-compose.yml');
  const services = servicesOf(compose);

  /** The text of each service, with the text of the anchor it merges. */
  function servicesOf(text: string): Map<string, string> {
    const block = /^services:\n([\s\S]*?)^volumes:/m.exec(text)?.[1] ?? '';
    const shared = /^x-seatline:[\s\S]*?(?=^x-environment)/m.exec(text)?.[0] ?? '';
    const parts = block.split(/^ {2}([a-z]+):\n/m).slice(1);
    const found = new Map<string, string>();
    for (let i = 0; i < parts.length; i += 2) {
      const own = parts[i + 1] ?? '';
      found.set(parts[i] ?? '', own.includes('*seatline') ? shared + own : own);
    }
    return found;
  }

  test('runs Postgres, Redis, an api and a worker, each watched and restarted', () => {
    expect([...services.keys()].sort()).toEqual(['api', 'postgres', 'redis', 'worker']);
    for (const [name, text] of services) {
      for (const key of ['healthcheck:', 'restart: unless-stopped', 'stop_grace_period:']) {
        expect(text, `${name} ${key}`).toContain(key);
      }
    }
    for (const role of ['api', 'worker']) {
      const text = services.get(role);
      expect(text).toContain(`ROLE: ${role}`);
      expect(text).toContain('/health/ready');
      expect(text).toMatch(/postgres:\n\s+condition: service_healthy/);
      expect(text).toMatch(/redis:\n\s+condition: service_healthy/);
    }
  });

  test('Redis keeps what it is given and throws nothing away; both data folders are volumes', () => {
    expect(services.get('redis')).toContain('"--appendonly", "yes"');
    expect(services.get('redis')).toContain('"--maxmemory-policy", "noeviction"');
    expect(services.get('redis')).toContain('- redis:/data');
    expect(services.get('postgres')).toContain('- postgres:/var/lib/postgresql\n');
    expect(compose).toMatch(/^volumes:\n {2}postgres:\n {2}redis:\n/m);
  });

  test('asks for nothing that .env.example has no line for', () => {
    const asked = [...compose.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name ?? '');
    for (const name of new Set(asked)) expect([...example.keys()], name).toContain(name);
  });

  test('sets what the code knows, and with a filled-in .env every role starts', () => {
    const block = /^x-environment:[\s\S]*?(?=^services)/m.exec(compose)?.[0] ?? '';
    const set = [...block.matchAll(/^ {2}([A-Z_]+): "?([^"\n]*)"?$/gm)];
    const fixed = Object.fromEntries(set.map(([, name = '', value = '']) => [name, value]));
    for (const name of Object.keys(fixed)) expect([...settings.keys()], name).toContain(name);
    const filledIn = {
      ...Object.fromEntries(example),
      API_KEY: 'k'.repeat(16),
      CONFIRM_SECRET: 's'.repeat(16),
      PUBLIC_URL: 'https://seats.example.com',
      ...fixed,
      DATABASE_URL: fixed.DATABASE_URL?.replace(/\$\{[^}]*\}/, 'password'),
    };
    for (const ROLE of ['api', 'worker']) {
      const config = readConfig({ ...filledIn, ROLE });
      expect(config).toMatchObject({ production: true, role: ROLE, http: { port: 8080 } });
      expect(config.queue.redisUrl).toBe('redis://redis:6379');
    }
  });

  test('waits longer for a process to stop than the process gives itself', () => {
    const seconds = Number(/stop_grace_period: (\d+)s/.exec(services.get('api') ?? '')?.[1]);
    expect(seconds * 1000).toBeGreaterThan(Number(settings.get('SHUTDOWN_TIMEOUT_MS')));
  });
});

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile');
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  test('runs the built program, as nobody special, and looks after its health', () => {
    expect(last).toContain('\nUSER node\n');
    expect(last).toContain('\nENV NODE_ENV=production\n');
    expect(last).toContain('\nCMD ["node", "dist/src/main.js"]\n');
    expect(last).toContain('/health/live');
    expect(last).toContain('\nCOPY prisma ./prisma\n');
  });

  test('copies only what is there and .dockerignore lets through', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
    const allowed = read('.dockerignore').split('\n');
    for (const path of copied.flatMap(([, paths]) => paths?.split(' ') ?? [])) {
      expect(existsSync(join(projectRoot, path)), path).toBe(true);
      expect(allowed, path).toContain(`!${path}`);
    }
  });

  test('leaves out only dependencies that there are', () => {
    const { dependencies } = JSON.parse(read('package.json'));
    const left = [...dockerfile.matchAll(/ dependencies\.(\S+)/g)].map(([, name]) => name);
    expect(left).toHaveLength(3);
    for (const name of left) expect(Object.keys(dependencies)).toContain(name);
  });
});

describe('README.md', () => {
  const readme = read('README.md');

  test('has every verdict, with its HTTP status, and no other', () => {
    const rows = [...readme.matchAll(/^\| `([a-z_]+)` +\| (\d{3}) +\|/gm)];
    const told = Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]));
    expect(told).toEqual({ confirmed: 200, ...REFUSAL_STATUS });
  });

  test('names the commands that there are, all of them', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name]) => name ?? '');
    const ours = named.filter((name) => name !== 'run');
    expect([...new Set(ours)].sort()).toEqual(Object.keys(scripts).sort());
  });

  test('has every kind of case and every state of a refund', () => {
    const { Cases, Refund } = answerSchemas;
    const kinds = Cases.shape.cases.element.shape.kind.options.filter((kind) => kind !== 'refund');
    for (const word of [...kinds, ...Refund.shape.state.options]) {
      expect(readme).toContain(`\n| \`${word}\` | `);
    }
  });

  test('leads only to sections that there are', () => {
    const sections = [...readme.matchAll(/^#{2,3} (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    const named = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, section]) => section);
    expect(named.length).toBeGreaterThan(5);
    for (const section of named) expect(sections).toContain(section);
  });

  test('names only settings and metrics that there are', () => {
    // Each in its own quotes, as `NAME` or `NAME=value`; PortOne's own words have no such prefix.
    const ours =
      /`((?:API|CONFIRM|DATABASE|HOST|NODE|PAYMENT|PORTONE|PUBLIC|QUEUE|RECONCILE|SHUTDOWN|SWEEP|TRUST|WEBHOOK)_[A-Z0-9_]+)(?=[`=/])/g;
    const names = [...readme.matchAll(ours)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect([...settings.keys()]).toContain(name);
    const source = ['metrics', 'gateway-metrics', 'waiting-metrics']
      .map((f) => read(`src/operations/${f}.ts`))
      .join();
    for (const [, name] of readme.matchAll(/seatline_([a-z_]+?)(?:_bucket|_count)?(?=[{[\s`)])/g)) {
      expect(source.includes(`${name}'`), name).toBe(true);
    }
  });

  test('leads only to files that there are', () => {
    for (const page of ['README.md', 'ARCHITECTURE.md']) {
      for (const [, path] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)) {
        expect(existsSync(join(projectRoot, path ?? '')), `${page}: ${path}`).toBe(true);
      }
      for (const [, path] of read(page).matchAll(/`((?:src|workers|prisma|test)\/[\w./-]+)`/g)) {
        expect(existsSync(join(projectRoot, path ?? '')), `${page}: ${path}`).toBe(true);
      }
    }
  });
});
