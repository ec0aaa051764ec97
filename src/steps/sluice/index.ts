// Sluice's own step types, in the order of the documentation.

import type { StepType } from '../step-type.ts';
import { capture } from './capture.ts';
import { delay } from './delay.ts';
import { fail } from './fail.ts';
import { forward } from './forward.ts';
import { httpRequest } from './http-request.ts';
import { readFile } from './read-file.ts';
import { replyUrls } from './reply-urls.ts';
import { respond } from './respond.ts';
import { set } from './set.ts';
import { waitForRequest } from './wait-for-request.ts';

export const sluiceStepTypes: readonly StepType[] = [
  set,
  readFile,
  httpRequest,
  forward,
  respond,
  delay,
  replyUrls,
  waitForRequest,
  fail,
  capture,
] as readonly StepType[];
