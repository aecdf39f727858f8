import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Each file drives a service of its own, and waits as much as it works: two cores carry three.
    maxWorkers: 3,
    // Files share nothing but the program; importing it anew for each took a tenth of the whole.
    isolate: false,
    // How long a hang may last; no test says by it that anything is fast.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // An unhandled rejection in a seat transaction must fail the run.
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
