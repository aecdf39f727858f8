// The rules of the house that no compiler and no linter knows.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../src/root.ts';

const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.seatline', 'generated', 'coverage']);
const TEXT =
  /\.(ts|mjs|js|sql|prisma|json|toml|ya?ml|md|html|css|sh)$|(^|\/)(\.npmrc|\.env\.example|Dockerfile|run)$/;

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [relative(projectRoot, path).split(sep).join('/')] : [];
  });
}

const files = walk(projectRoot).filter((file) => TEXT.test(file));
const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');
const program = files.filter((file) => /^(src|workers)\/.*\.ts$/.test(file));
const tests = files.filter((file) => /^test\/.*\.ts$/.test(file));

describe('length', () => {
  const LINES_MAX = 300;
  const TEST_LINES_MAX = 600;
  /** Longer for a reason; each has its own limit, so that it does not grow unseen. */
  const LONGER: Record<string, number> = {
    // One algorithm, pure, whose parts make no sense apart.
    'src/seats/choose.ts': 390,
    // The one place where a batch is decided: its order of questions is to be read in one piece.
    'src/confirm/decide/judge.ts': 330,
  };

  test('no file of the program is longer than 300 lines, no test than 600', () => {
    const long = [...program, ...tests].flatMap((file) => {
      const lines = read(file).trimEnd().split('\n').length;
      const max = LONGER[file] ?? (file.startsWith('test/') ? TEST_LINES_MAX : LINES_MAX);
      return lines > max ? [`${file}: ${lines} > ${max}`] : [];
    });
    expect(long).toEqual([]);
  });
});

describe('imports', () => {
  /** Down the road: a part may import those below it, and nothing of its own height. */
  const LEVELS: string[][] = [
    ['src/cli', 'src/main.ts'],
    ['src/demo'],
    ['src/service.ts'],
    ['workers'],
    ['src/routes.ts', 'src/app.ts'],
    ['src/dependencies.ts'],
    ['src/operations'],
    [
      'src/confirm',
      'src/settlement',
      'src/expiry',
      'src/release',
      'src/refunds',
      'src/reconciliation',
      'src/orders',
      'src/events',
      'src/audit',
    ],
    ['src/payments'],
    ['src/seats', 'src/portone', 'src/http', 'src/queue'],
    ['src/db', 'src/config.ts'],
    ['src/faults', 'src/embedded', 'src/sandbox'],
    ['src/log.ts', 'src/clock.ts', 'src/root.ts', 'src/lifecycle.ts'],
  ];
  /** Against the current for a reason. */
  const ALLOWED = new Set([
    // The program starts its database as the commands do.
    'src/main.ts src/cli/set-up-database.ts',
    // Stopping on a signal is written to the log.
    'src/lifecycle.ts src/log.ts',
  ]);

  const partOf = (file: string) =>
    LEVELS.flat().find((part) => file === part || file.startsWith(`${part}/`));
  const levelOf = (part: string) => LEVELS.findIndex((level) => level.includes(part));

  const edges = program.flatMap((file) =>
    [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target = '']) => ({
      file,
      target: normalize(join(dirname(file), target))
        .split(sep)
        .join('/'),
    })),
  );

  test('every file has its place on the road', () => {
    expect(program.filter((file) => partOf(file) === undefined)).toEqual([]);
    expect(edges.length).toBeGreaterThan(200);
  });

  test('point down the road, and no stage knows the insides of another', () => {
    const wrong = edges.filter(({ file, target }) => {
      if (target.startsWith('src/generated/')) return partOf(file) !== 'src/db';
      const [from, to] = [partOf(file) ?? '', partOf(target) ?? ''];
      if (from === to || ALLOWED.has(`${file} ${target}`)) return false;
      return levelOf(to) <= levelOf(from);
    });
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  test('no exception is left over', () => {
    const present = new Set(edges.map(({ file, target }) => `${file} ${target}`));
    expect([...ALLOWED].filter((edge) => !present.has(edge))).toEqual([]);
  });

  test('workers know nothing of HTTP, and the service nothing of the sandbox', () => {
    const wrong = edges.filter(
      ({ file, target }) =>
        (file.startsWith('workers/') && target.startsWith('src/http/')) ||
        (target.startsWith('src/sandbox/') && !/^src\/(sandbox|cli|demo)\//.test(file)),
    );
    expect(wrong).toEqual([]);
  });

  test('our own files are imported under their own names', () => {
    const odd = [...program, ...tests].flatMap((file) =>
      [...read(file).matchAll(/from '(\.[^']+)'/g)].flatMap(([, target = '']) =>
        /\.(ts|mjs|json)$/.test(target) ? [] : [`${file}: ${target}`],
      ),
    );
    expect(odd).toEqual([]);
  });
});

describe('the environment', () => {
  /** They hand it to readConfig, or are commands of their own. */
  const READERS =
    /^(src\/main\.ts|src\/cli\/.*|src\/demo\/.*|prisma\.config\.ts|test\/.*|bench\/.*)$/;
  const ALLOWED = new Set([
    // A child process needs the PATH of its parent; it is passed on, not interpreted.
    'src/embedded/cluster.ts',
  ]);

  test('is read by src/config.ts and the commands, and by nobody else', () => {
    const readers = files
      .filter((file) => /\.(ts|mjs)$/.test(file) && read(file).includes('process.env'))
      .filter((file) => !READERS.test(file) && !ALLOWED.has(file));
    expect(readers).toEqual([]);
  });
});

describe('words', () => {
  test('nothing is of any type, except where the linter was told why', () => {
    const loose = [...program, ...tests].flatMap((file) => {
      const lines = read(file).split('\n');
      return lines.flatMap((line, i) => {
        const code = line.replace(/'[^']*'|`[^`]*`|\/\/.*$|^\s*\*.*$|\/\*.*/g, '');
        const told = /biome-ignore .*noExplicitAny/.test(lines[i - 1] ?? '');
        return /(:|\bas|<|,|\|)\s*any\b(?!\()/.test(code) && !told ? [`${file}:${i + 1}`] : [];
      });
    });
    expect(loose).toEqual([]);
  });

  test('no file names a machine on which it was written, or where packages come from', () => {
    // Put together here, so that this very file does not name them either.
    const names = [
      ['', 'work', 'main'].join('/'),
      ['', 'work', 'shared'].join('/'),
      ['', 'work', '.'].join('/'),
      ['registry', 'npmjs'].join('.'),
      ['npmjs', 'org'].join('.'),
      ['yarnpkg', 'com'].join('.'),
      ['npmmirror', 'com'].join('.'),
    ];
    const found = files.flatMap((file) =>
      names.filter((name) => read(file).includes(name)).map((name) => `${file}: ${name}`),
    );
    expect(found).toEqual([]);
  });

  test('every file of the program says in its first line what it promises', () => {
    const silent = program.filter((file) => !/^(\/\/ \S|\/\*\* ?\S)/.test(read(file)));
    expect(silent).toEqual([]);
  });
});

describe('statements', () => {
  const statements = files.filter((file) => /^prisma\/sql\/.*\.sql$/.test(file));
  const sources = program.map(read).join('\n');

  test('each one is used, and each one that is used is there', () => {
    const names = statements.map((file) => file.slice('prisma/sql/'.length, -'.sql'.length));
    const used = [...sources.matchAll(/loadSql\(\s*'(\w+)'/g)].map(([, name = '']) => name);
    expect([...new Set(used)].sort()).toEqual(names.sort());
  });

  test('each one says what it does, and what its parameters are', () => {
    const silent = statements.filter((file) => {
      const text = read(file);
      const head = text
        .split('\n')
        .filter((line) => line.startsWith('--'))
        .join(' ');
      const parameters = new Set([...text.matchAll(/\$\d+/g)].map(([name]) => name));
      return !text.startsWith('-- ') || [...parameters].some((name) => !head.includes(name));
    });
    expect(silent).toEqual([]);
  });
});

describe('tests', () => {
  test('no two of one file have the same name', () => {
    const twice = tests
      .filter((file) => file.endsWith('.test.ts'))
      .flatMap((file) => {
        const titles = [...titlesOf(read(file))];
        return titles.filter((title, i) => titles.indexOf(title) !== i).map((t) => `${file}: ${t}`);
      });
    expect(twice).toEqual([]);
    expect([...titlesOf(read('test/unit/tidy.test.ts'))]).toContain(
      'tests > no two of one file have the same name',
    );
  });

  test('none is skipped, and none is alone', () => {
    const odd = tests.filter((file) => /\b(test|it|describe)\.(only|skip|todo)\b/.test(read(file)));
    expect(odd.filter((file) => file !== 'test/unit/tidy.test.ts')).toEqual([]);
  });
});

/** Titles with the describe blocks around them, by indentation as the formatter leaves it. */
function* titlesOf(text: string): Iterable<string> {
  const around: { indent: number; title: string }[] = [];
  const call = /^( *)(describe|test|it)(?:\.\w+(?:\([^\n]*?\))?)*\(\s*(['`])(.*?)\3/gm;
  for (const [, spaces = '', kind, , title = ''] of text.matchAll(call)) {
    while ((around.at(-1)?.indent ?? -1) >= spaces.length) around.pop();
    if (kind === 'describe') around.push({ indent: spaces.length, title });
    else yield [...around.map((block) => block.title), title].join(' > ');
  }
}
