#!/usr/bin/env node
// The `sluice` command: registers the TypeScript loader and hands over.

import { register } from 'tsx/esm/api';

register();
await import('../src/main.ts');
