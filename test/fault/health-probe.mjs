// Asks for /healthz again and again, in a thread of its own, and tells how long the longest answer took.

import { get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const EVERY_MS = 40;
let longest = 0;
let failed = 0;

function probe() {
  const began = performance.now();
  const next = () => {
    longest = Math.max(longest, performance.now() - began);
    setTimeout(probe, EVERY_MS);
  };
  get(`${workerData.url}/healthz`, (response) => {
    if (response.statusCode !== 200) failed += 1;
    response.resume().on('end', next);
  }).on('error', () => {
    failed += 1;
    next();
  });
}

parentPort.on('message', () => {
  parentPort.postMessage({ longest, failed });
  longest = 0;
  failed = 0;
});
probe();
