// The context of a command: its environment and its streams.

import type { Environment } from '../config/config.ts';
import type { Io } from './io.ts';

export interface CliContext {
  environment: Environment;
  io: Io;
}
