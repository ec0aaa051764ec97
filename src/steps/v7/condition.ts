// Conditions of a logic stage on the annotations of an item. Literals are validated when the definition is saved, selected
// values when the condition is evaluated.

import type { Fault } from '../../core/fault.ts';
import { ExactNumber } from '../../core/json/json.ts';
import { isDict } from '../../core/python/kind.ts';
import { isSelector, isStepReference } from '../../core/workflow/selector.ts';
import type { Payload, Prediction } from '../../payloads/payload.ts';

const OPERATORS = ['is_any_of', 'is_none_of'];
const BOUNDS = ['at_least', 'at_most'];
const MAX_DEPTH = 10;

/** The properties that conditions can test, and how to read each. */
const PROPERTIES_OF: Readonly<Record<string, (prediction: Prediction) => readonly unknown[]>> = {
  classes: (prediction) => [prediction.class],
  tags: (prediction) => (prediction.type === 'tag' ? [prediction.class] : []),
  attributes: (prediction) => prediction.attributes,
};

const KINDS = ['all', 'any', ...Object.keys(PROPERTIES_OF), 'property', 'count'];

/** Thrown when a selected value is invalid in a condition. */
export class ConditionFault extends Error {}

/** Throws ConditionFault for selected values. The literals of `condition` are valid. */
export function holds(condition: unknown, payload: Payload): boolean {
  const [kind, value] = Object.entries(condition as object)[0] as [string, unknown];
  switch (kind) {
    case 'all':
      return (value as unknown[]).every((part) => holds(part, payload));
    case 'any':
      return (value as unknown[]).some((part) => holds(part, payload));
    case 'count':
      return countHolds(value as Count, payload);
    case 'property': {
      const { name, ...list } = value as { name: string };
      const found = payload.predictions.flatMap(({ properties }) => properties.filter((property) => property.name === name));
      return listHolds(
        list,
        found.flatMap((property) => property.value),
      );
    }
    default:
      return listHolds(value as object, payload.predictions.flatMap(PROPERTIES_OF[kind] as (prediction: Prediction) => readonly unknown[]));
  }
}

/** Compares by text, so that equal numbers match however each is written. */
function listHolds(list: object, found: readonly unknown[]): boolean {
  const [operator, wanted] = Object.entries(list)[0] as [string, unknown];
  if (!Array.isArray(wanted) || !wanted.every(isScalar)) throw new ConditionFault(`${operator} must be a list of texts`);
  const texts = new Set(wanted.map(textOf));
  const isAny = found.some((value) => isScalar(value) && texts.has(textOf(value)));
  return operator === 'is_any_of' ? isAny : !isAny;
}

/** Keeps the digits of a number beyond 2^53, which may be an id. */
function textOf(value: unknown): string {
  const number = value instanceof ExactNumber ? Number(value) : value;
  return String(typeof number === 'number' && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : value);
}

interface Count {
  class?: unknown;
  at_least?: unknown;
  at_most?: unknown;
}

function countHolds(
  { class: wanted, at_least: least = 0, at_most: most = Number.MAX_SAFE_INTEGER }: Count,
  { predictions }: Payload,
): boolean {
  const count = wanted === undefined ? predictions.length : predictions.filter((prediction) => prediction.class === String(wanted)).length;
  for (const bound of [least, most]) if (!isCount(bound)) throw new ConditionFault('at_least and at_most must be whole numbers');
  return count >= Number(least) && count <= Number(most);
}

export function conditionFaults(path: string, condition: unknown, depth = 1): Fault[] {
  if (depth > MAX_DEPTH) return [{ path, message: `must not be nested more than ${MAX_DEPTH} deep` }];
  const entries = isDict(condition) ? Object.entries(condition) : [];
  const [kind = '', value] = entries[0] ?? [];
  if (entries.length !== 1 || !KINDS.includes(kind)) {
    return [{ path, message: `must be an object with exactly one condition of ${KINDS.join(', ')}` }];
  }
  const inside = `${path}.${kind}`;
  if (kind === 'all' || kind === 'any') {
    if (!Array.isArray(value) || value.length === 0) return [{ path: inside, message: 'must be a list of at least one condition' }];
    return value.flatMap((part, index) => conditionFaults(`${inside}[${index}]`, part, depth + 1));
  }
  if (!isDict(value)) return [{ path: inside, message: 'must be an object' }];
  if (kind === 'count') return countFaults(inside, value);
  return kind === 'property' ? propertyFaults(inside, value) : listFaults(inside, value);
}

function propertyFaults(path: string, { name, ...list }: Record<string, unknown>): Fault[] {
  const isName = typeof name === 'string' && name !== '' && !isSelector(name);
  return [...(isName ? [] : [{ path: `${path}.name`, message: 'must be the name of a property' }]), ...listFaults(path, list)];
}

function listFaults(path: string, list: Record<string, unknown>): Fault[] {
  const entries = Object.entries(list);
  const [operator = '', wanted] = entries[0] ?? [];
  if (entries.length !== 1 || !OPERATORS.includes(operator)) return [{ path, message: `must have either ${OPERATORS.join(' or ')}` }];
  const inside = `${path}.${operator}`;
  if (isValueSelector(wanted)) return [];
  if (!Array.isArray(wanted) || wanted.length === 0)
    return [{ path: inside, message: 'must be a list of at least one text, or a selector of a list' }];
  return wanted.flatMap((item, index) =>
    (isScalar(item) && !isSelector(item)) || isValueSelector(item)
      ? []
      : [{ path: `${inside}[${index}]`, message: 'must be text, a number, true or false, or a selector of it' }],
  );
}

function countFaults(path: string, count: Record<string, unknown>): Fault[] {
  const { class: wanted, ...bounds } = count;
  const faults: Fault[] = Object.keys(bounds)
    .filter((name) => !BOUNDS.includes(name))
    .map((name) => ({ path, message: `unknown field "${name}"; known are class, ${BOUNDS.join(', ')}` }));
  if (!BOUNDS.some((name) => name in bounds)) faults.push({ path, message: `must have ${BOUNDS.join(' or ')}` });
  if (wanted !== undefined && (typeof wanted !== 'string' || isStepReference(wanted)))
    faults.push({ path: `${path}.class`, message: 'must be the name of a class, or a selector of it' });
  for (const name of BOUNDS) {
    if (name in bounds && !isCount(bounds[name]) && !isValueSelector(bounds[name])) {
      faults.push({ path: `${path}.${name}`, message: 'must be a whole number of 0 or more, or a selector of one' });
    }
  }
  return faults;
}

/** Excludes a bare `$steps.name`, which would be read as a step to run next. */
function isValueSelector(value: unknown): boolean {
  return isSelector(value) && !isStepReference(value);
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof ExactNumber;
}

function isCount(value: unknown): boolean {
  return (typeof value === 'number' || value instanceof ExactNumber) && Number.isSafeInteger(Number(value)) && Number(value) >= 0;
}
