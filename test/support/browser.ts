// A real browser for the pages that people click through; without one a test says so and fails.

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { ensureProgram } from './debian.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ON_A_MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** @returns its path; undefined where there is none and none could be installed */
export async function ensureBrowser(): Promise<string | undefined> {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  if (existsSync(ON_A_MAC)) return ON_A_MAC;
  return ensureProgram({ names: NAMES, debianPackage: 'chromium' });
}

export async function openBrowser(): Promise<Browser> {
  const executablePath = await ensureBrowser();
  if (executablePath === undefined) {
    throw new Error(
      'no browser: the pages cannot be tested. Install chromium (Debian: apt-get install chromium), or name one in CHROMIUM',
    );
  }
  // Containers run as root, which Chromium's own sandbox refuses.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
