// The text of a notification: replaces `{{ $parameters.name }}` by the parameter's value, in one pass, so that placeholders
// inside a value are not replaced.

import type { Fault } from '../../../core/fault.ts';
import { strOf } from '../../../core/python/text.ts';
import type { JsonSchema } from '../../../core/schema.ts';
import { mapCollectingWants } from '../../../core/uql/collect-image-wants.ts';
import { literals, operationChains, text } from '../../shared/property-schemas.ts';
import type { StepContext } from '../../step-type.ts';
import { chainFaults, type OperationsByName, transformValue, type Values } from './named-operations.ts';

export interface MessageManifest {
  message: string;
  message_parameters?: Values;
  message_parameters_operations?: OperationsByName;
}

export const messageProperties: Readonly<Record<string, JsonSchema>> = {
  message: text('the text of the message; {{ $parameters.name }} is replaced by the parameter of that name'),
  message_parameters: literals('the parameters of the message, by name'),
  message_parameters_operations: operationChains('operations on parameters before they are written, by name'),
};

export function messageFaults({ message_parameters_operations: chains }: MessageManifest): Fault[] {
  return chainFaults('message_parameters_operations', chains);
}

const PLACEHOLDER = /\{\{\s*\$parameters\.([\p{L}\p{N}_]+)\s*\}\}/gu;

/** Leaves placeholders of unknown names. `write` converts a value to text; the default is Python's `str`. */
export function messageText(
  { message, message_parameters: parameters = {}, message_parameters_operations: chains = {} }: MessageManifest,
  context: StepContext,
  write: (value: unknown, name: string) => string = strOf,
): string {
  const named = [...message.matchAll(PLACEHOLDER)].map(([, name]) => name as string);
  const used = [...new Set(named)].filter((name) => Object.hasOwn(parameters, name));
  const written = new Map(
    mapCollectingWants(used, (name) => [name, write(transformValue(name, parameters[name], chains, context), name)] as const),
  );
  return message.replace(PLACEHOLDER, (placeholder, name: string) => written.get(name) ?? placeholder);
}
