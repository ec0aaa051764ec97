// The Execution Engine version that a definition requests (PEP 440), checked as Roboflow's engine 1.15.0 checks it.

const ENGINE_VERSION = '1.15.0';
const ENGINE = [1, 15, 0] as const;
const MAX_LENGTH = 64;

/** PEP 440: epoch, release, pre-release, post-release, development release, local label. */
const PEP440 =
  /^v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)(?<pre>[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?\d*)?(?<post>-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?<local>\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/i;

/** Null when this engine runs definitions of that version: `>=version,<major+1`. */
export function engineVersionFault(version: string): string | null {
  const match = version.length > MAX_LENGTH ? null : PEP440.exec(version.trim());
  const shown = version.length > MAX_LENGTH ? `${version.slice(0, MAX_LENGTH)}…` : version;
  if (match === null)
    return `Workflow definition contains \`version\` defined as \`${shown}\` which cannot be parsed as valid version definition. Error details: Invalid version: '${shown}'; write "1.0"`;
  const { epoch = '0', release = '', pre, post, local } = match.groups as Record<string, string | undefined>;
  const parts = release.split('.').map(Number);
  const major = parts[0] ?? 0;
  const distance = compareWithEngine(parts);
  const isNewer = distance > 0 || (distance === 0 && post !== undefined && pre === undefined);
  if (Number(epoch) === 0 && major === ENGINE[0] && !isNewer && local === undefined) return null;
  return `Workflow definition requested Execution Engine in version: \`>=${shown},<${major + 1}.0.0\` which cannot be found in existing setup. Available Execution Engines versions: \`${ENGINE_VERSION}\`; write "1.0"`;
}

/** Missing parts count as 0. */
function compareWithEngine(release: readonly number[]): number {
  for (let index = 0; index < Math.max(release.length, ENGINE.length); index += 1) {
    const difference = (release[index] ?? 0) - (ENGINE[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
