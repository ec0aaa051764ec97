// A real Chromium for tests, as the system has it.

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import type { onTestEnd } from '../support/cleanup.ts';

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

function findChromium(): string {
  const named = process.env['CHROMIUM_PATH'];
  const found = named === undefined ? USUAL_PATHS.find((path) => existsSync(path)) : existsSync(named) ? named : undefined;
  if (found !== undefined) return found;
  const why = named === undefined ? 'no Chromium found' : `CHROMIUM_PATH names ${named}, which does not exist`;
  throw new Error(`${why}: install it (Debian: "apt-get install -y --no-install-recommends chromium"), or name it with CHROMIUM_PATH`);
}

export async function startChromium(onEnd: typeof onTestEnd): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  onEnd(() => browser.close());
  return browser;
}
