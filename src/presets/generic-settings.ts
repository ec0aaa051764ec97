// Settings of the schemes that an operator describes in the sink.

import type { PresetSetting } from './preset.ts';
import type { SettingFault } from './scheme.ts';

export function setting(name: string, description: string, rest: Partial<PresetSetting> = {}): PresetSetting {
  return { name, kind: 'text', isRequired: false, description, ...rest };
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

export function headerFaults(name: string, header: unknown): SettingFault[] {
  return typeof header === 'string' && HEADER_NAME.test(header) ? [] : [{ setting: name, message: 'must be the name of a header' }];
}
