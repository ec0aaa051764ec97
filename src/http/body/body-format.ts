// Decides how the body of a request is read: by its sink's setting, else by its content type.

import type { BodySetting } from '../../core/sink/body-setting.ts';
import type { SinkLimits } from '../../core/sink/limits/size-limits.ts';
import type { TextFormat } from './decode-body.ts';
import { bodyKindOf, isJsonLines, type MediaType } from './media-type.ts';

/** `unknown`: JSON when the bytes are valid JSON, else a file. */
export type BodyFormat = TextFormat | As<'multipart'> | As<'nested-multipart'> | As<'file'> | As<'unknown'>;

type As<Kind> = Omit<TextFormat, 'kind'> & { kind: Kind };

export function bodyFormat(setting: BodySetting, media: MediaType | null, { fields }: Pick<SinkLimits, 'fields'>): BodyFormat {
  const field = typeof setting === 'object' && 'formField' in setting ? setting.formField : null;
  return { kind: kindOf(setting, media), charset: media?.charset ?? null, fields, mayBeJson: setting !== 'form', field };
}

function kindOf(setting: BodySetting, media: MediaType | null): BodyFormat['kind'] {
  switch (setting) {
    case 'json':
      return media !== null && isJsonLines(media) ? 'ndjson' : 'json';
    case 'form':
      return media?.type === 'multipart/form-data' ? 'multipart' : 'form';
    case 'text':
      return 'text';
    case 'raw':
      return 'file';
    default: {
      const kind = media === null || media.type === 'application/octet-stream' ? 'unknown' : bodyKindOf(media);
      const isNested = typeof setting === 'object' && 'form' in setting && (kind === 'form' || kind === 'multipart');
      return isNested ? `nested-${kind}` : kind;
    }
  }
}
