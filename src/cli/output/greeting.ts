// The greeting of a started server: its address, its data directory, and requests to try.

import type { RunningApp } from '../../app.ts';
import type { describeSink } from '../../definitions/sinks/describe-sink.ts';

type Greeted = Pick<RunningApp, 'url' | 'dataDir' | 'adminToken' | 'demoPath' | 'definitions'>;

/** Suggests only public sinks: tokens cannot be shown, because only their hashes are stored. */
export function greeting({ url, dataDir, adminToken, demoPath, definitions }: Greeted): string {
  const origin = url.replace('0.0.0.0', '127.0.0.1').replace('[::]', '127.0.0.1');
  const { sinks } = definitions.exportAll() as { sinks: ReturnType<typeof describeSink>[] };
  const tried =
    sinks.find((sink) => sink['auth_token'] === null && sink['workflow_id'] !== undefined) ??
    sinks.find((sink) => sink['auth_token'] === null);
  const lines = [
    `Sluice listens on ${url}`,
    `  data         ${dataDir}`,
    `  admin token  ${adminToken.path ?? 'as set (SLUICE_ADMIN_TOKEN)'}${adminToken.isNew ? ' (made just now)' : ''}`,
    ...(demoPath === null ? [] : [`  demo         ${demoPath}, which anyone may trigger; "sluice serve" starts without it`]),
    '',
  ];
  if (tried === undefined) lines.push('No public sink yet: define one in config/sluice.yaml, or with POST /api/v1/apps/<app_id>/sinks.');
  else {
    const method = tried['method'] === 'ANY' ? 'POST' : tried['method'];
    lines.push(
      'Try it:',
      `  curl -N -X ${method} "${origin}/${tried['app_id']}${tried['path']}" \\`,
      `    -H "Content-Type: application/json" \\`,
      `    -d '{"event": "test", "data": {"key": "value"}}'`,
    );
  }
  if (adminToken.path !== null)
    lines.push('', 'See what ran:', `  curl -H "Authorization: Bearer $(cat ${adminToken.path})" "${origin}/api/v1/runs"`);
  return `${lines.join('\n')}\n\n`;
}
