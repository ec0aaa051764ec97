// Chains of operations, by the name of the value that they transform.

import { type Fault, nestFaults } from '../../../core/fault.ts';
import { mapCollectingWants } from '../../../core/uql/collect-image-wants.ts';
import { applyOperations, operationsFaults } from '../../../core/uql/operations/apply-operations.ts';
import type { OperationContext, OperationDefinition } from '../../../core/uql/operations/operation.ts';
import type { StepContext } from '../../step-type.ts';

export type Operations = readonly OperationDefinition[];
export type OperationsByName = Readonly<Record<string, Operations>>;
export type Values = Readonly<Record<string, unknown>>;

/** `parameters` are the values that operations may name; Roboflow passes none unless documented. */
export function operationContext(context: StepContext, parameters: Values = {}): OperationContext {
  return { parameters, images: context.images, random: () => context.random(), now: context.wallNow };
}

/** Returns a copy with each value transformed by its chain. Ignores chains of unknown names. */
export function transformValues(values: Values, chains: OperationsByName, context: StepContext): Values {
  if (Object.keys(chains).length === 0) return values;
  return Object.fromEntries(
    mapCollectingWants(Object.entries(values), ([name, value]) => [name, transformValue(name, value, chains, context)] as const),
  );
}

export function transformValue(name: string, value: unknown, chains: OperationsByName, context: StepContext): unknown {
  const chain = Object.hasOwn(chains, name) ? (chains[name] ?? []) : [];
  return chain.length === 0 ? value : applyOperations(value, chain, operationContext(context));
}

/** `values`, if set, contains the allowed names of chains. */
export function chainFaults(field: string, chains: OperationsByName = {}, values?: Values): Fault[] {
  return Object.entries(chains).flatMap(([name, chain]) => {
    if (values !== undefined && !Object.hasOwn(values, name)) {
      const known = Object.keys(values).join(', ') || 'none';
      return [{ path: `${field}.${name}`, message: `there is no value of this name; known are ${known}` }];
    }
    return nestFaults(`${field}.${name}`, operationsFaults(chain));
  });
}
