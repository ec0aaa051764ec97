// Sinks of webhook providers: a scheme of presets/, its secrets and its settings.

import type { PresetSetting } from '../../../presets/preset.ts';
import { secretFault } from '../../../presets/proofs/secret-fault.ts';
import type { Scheme } from '../../../presets/scheme.ts';
import { findScheme, schemeIds } from '../../../presets/schemes.ts';
import type { Fault } from '../../fault.ts';
import { suggestNames } from '../../values/similar-names.ts';
import { type CredentialDocument, credentialFaults, readCredential, type SealedSecret } from './credentials.ts';

/** In a definition: a secret in clear, or as an export wrote it. */
export type SecretDefinition = { name: string | null; endsAt: number | null } & ({ value: string } | { sealed: string });

export interface SchemeDefinition {
  type: 'scheme';
  /** Names a scheme of presets/. */
  scheme: string;
  secrets: SecretDefinition[];
  /** Secret settings in clear, or as an export wrote them. */
  settings: Record<string, unknown>;
}

export interface SchemeAuth {
  type: 'scheme';
  scheme: string;
  /** Empty until the provider has brought its secret. */
  secrets: StoredSecret[];
  /** Secret settings are sealed. */
  settings: Record<string, unknown>;
}

export interface StoredSecret extends SealedSecret {
  /** The provider brought it: the operator may see it once. */
  captured?: 'unseen' | 'seen';
}

export interface SchemeDocument {
  secrets?: CredentialDocument<'value' | 'sealed'>[];
  [setting: string]: unknown;
}

const ABOUT_LIST = 'docs/providers.md lists all';

export function schemeFaults({ type, secrets, ...settings }: SchemeDocument & { type: string }): Fault[] {
  const scheme = findScheme(type);
  if (scheme === undefined)
    return [
      {
        path: 'auth.type',
        message: `"${type}" is not known${suggestNames(type, ['none', 'bearer', ...schemeIds()], `none, bearer, and the schemes that ${ABOUT_LIST}`)}`,
      },
    ];
  const faults = settingFaults(scheme, settings);
  const needsSecrets = scheme.needsSecrets(settings);
  if (needsSecrets && !scheme.capturesSecret && secrets === undefined) faults.push({ path: 'auth', message: 'field "secrets" is missing' });
  if (!needsSecrets && secrets !== undefined) faults.push({ path: 'auth.secrets', message: `does not belong to type "${type}"` });
  faults.push(...credentialFaults('auth.secrets', secrets ?? [], ['value', 'sealed']));
  return faults.length > 0 ? faults : secretFaults(scheme, secrets ?? [], settings);
}

function settingFaults(scheme: Scheme, given: Record<string, unknown>): Fault[] {
  const names = scheme.settings.map(({ name }) => name);
  const unknown = Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path: 'auth',
      message: `unknown field "${name}" for type "${scheme.id}"${suggestNames(name, ['secrets', ...names])}`,
    }));
  const wrong = scheme.settings.flatMap((setting) => {
    const message = settingFault(setting, given[setting.name]);
    return message === null ? [] : [{ path: `auth.${setting.name}`, message }];
  });
  if (unknown.length + wrong.length > 0) return [...unknown, ...wrong];
  return scheme.faultsOf(given).map(({ setting, message }) => ({ path: `auth.${setting}`, message }));
}

function settingFault({ kind, isRequired, choices, description }: PresetSetting, value: unknown): string | null {
  if (value === undefined) return isRequired ? `is missing: ${description}` : null;
  switch (kind) {
    case 'number':
      return typeof value === 'number' && value > 0 && value <= 86_400 ? null : 'must be a number from 1 to 86400';
    case 'list':
      if (!(Array.isArray(value) && value.length > 0 && value.length <= 64 && value.every(isShortText)))
        return 'must be a list of 1 to 64 texts';
      return value.every((item) => choices?.includes(item) ?? true) ? null : `must be of ${choices?.join(', ')}`;
    case 'secret':
      return isShortText(value) || isSealedSetting(value) ? null : 'must be a text';
    case 'text':
      if (!isShortText(value)) return 'must be a text';
      return choices === undefined || choices.includes(value) ? null : `must be one of ${choices.join(', ')}`;
  }
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 2048;
}

function isSealedSetting(value: unknown): value is { sealed: string } {
  return typeof value === 'object' && value !== null && isShortText((value as { sealed?: unknown }).sealed);
}

/** A secret that cannot be a key would refuse every request. */
function secretFaults(
  scheme: Scheme,
  secrets: readonly CredentialDocument<'value' | 'sealed'>[],
  settings: Record<string, unknown>,
): Fault[] {
  const proof = scheme.proofOf(settings);
  return secrets.flatMap((item, index) => {
    const value = typeof item === 'string' ? item : item.value;
    const message = value === undefined ? null : secretFault(proof, value);
    return message === null ? [] : [{ path: `auth.secrets[${index}]`, message }];
  });
}

/** Reads a document without faults. */
export function readSchemeAuth({ type, secrets = [], ...settings }: SchemeDocument & { type: string }): SchemeDefinition {
  const read = secrets.map((item): SecretDefinition => {
    const credential = readCredential(item);
    if (typeof item !== 'string' && item.sealed !== undefined) return { ...credential, sealed: item.sealed };
    return { ...credential, value: typeof item === 'string' ? item : (item.value as string) };
  });
  return { type: 'scheme', scheme: type, secrets: read, settings };
}

/** The names of settings that are sealed when stored. */
export function secretSettings(schemeId: string): string[] {
  return (findScheme(schemeId)?.settings ?? []).filter(({ kind }) => kind === 'secret').map(({ name }) => name);
}
