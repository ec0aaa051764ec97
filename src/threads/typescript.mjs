// Lets Node load TypeScript through tsx, in this thread. Only source needs it; emitted code is JavaScript already.

import { register } from 'tsx/esm/api';

register();
