// What a sink can name as its `auth.type` beside `none` and `bearer`: a provider of the table, or a generic scheme, whose
// proof is described by settings of the sink.

import type { Preset, PresetSetting, Proof } from './preset.ts';

/** Values of settings by name: texts, numbers or lists of texts. */
export type SettingValues = Readonly<Record<string, unknown>>;

export interface Scheme {
  id: string;
  /** Null for a generic scheme. */
  preset: Preset | null;
  settings: readonly PresetSetting[];
  /** False where the sender publishes the keys that prove it. */
  needsSecrets(settings: SettingValues): boolean;
  /** The first request of the provider may bring the secret, so that a definition may leave it out. */
  capturesSecret: boolean;
  /** `settings` have no faults. */
  proofOf(settings: SettingValues): Proof;
  /** Returns faults beyond those of single settings. */
  faultsOf(settings: SettingValues): SettingFault[];
}

export interface SettingFault {
  setting: string;
  message: string;
}
