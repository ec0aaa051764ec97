// Reads a chain of operations: returns all its faults, or the function that runs it.

import { type Fault, nestFaults } from '../../fault.ts';
import { PythonError } from '../../python/error.ts';
import { isDict } from '../../python/kind.ts';
import { withDetectionsAsJson } from '../detections-json.ts';
import { readStatementGroup } from '../statements/read-statement-group.ts';
import { operations as knownOperations } from './index.ts';
import type { NestedReader, Operation, Reading, Transform } from './operation.ts';
import { OperationFault } from './operation-fault.ts';

const byType: ReadonlyMap<unknown, Operation> = new Map(knownOperations.map((operation) => [operation.type, operation]));
const KNOWN_TYPES = [...byType.keys()].join(', ');

export const nestedReader: NestedReader = {
  operations: readOperations,
  statementGroup: (definition, place) => readStatementGroup(definition, place, nestedReader),
};

/** `placeOf` gives the context of each operation in Roboflow's messages. */
export function readOperations(definitions: unknown, placeOf: (index: number) => string): Reading<Transform> {
  if (!Array.isArray(definitions)) return { faults: [{ path: '', message: 'must be a list of operations' }] };
  const transforms: Transform[] = [];
  const faults: Fault[] = [];
  for (const [index, definition] of definitions.entries()) {
    const reading = readOperation(definition, placeOf(index));
    if ('value' in reading) transforms.push(reading.value);
    else faults.push(...nestFaults(`[${index}]`, reading.faults));
  }
  return faults.length > 0 ? { faults } : { value: composeTransforms(transforms) };
}

function composeTransforms(transforms: readonly Transform[]): Transform {
  return (value, context) => {
    let result = value;
    for (const transform of transforms) result = transform(result, context);
    return withDetectionsAsJson(result);
  };
}

function readOperation(definition: unknown, place: string): Reading<Transform> {
  if (!isDict(definition)) return { faults: [{ path: '', message: 'must be an object, such as {"type":"SequenceLength"}' }] };
  const { type } = definition;
  if (type === undefined) return { faults: [{ path: '', message: `field "type" is missing; known are ${KNOWN_TYPES}` }] };
  const operation = byType.get(type);
  if (operation === undefined) {
    return { faults: [{ path: 'type', message: `${JSON.stringify(type)} is not an operation; known are ${KNOWN_TYPES}` }] };
  }
  const faults: Fault[] = [];
  const settings: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(operation.parameters)) {
    const reading = parameter.read(definition[name], nestedReader, place);
    if ('value' in reading) settings[name] = reading.value;
    else faults.push(...nestFaults(name, reading.faults));
  }
  if (faults.length > 0) return { faults };
  const { apply, takesDetections = false } = operation;
  return { value: (value, context) => apply(takesDetections ? value : withDetectionsAsJson(value), settings, context, place) };
}

/** Turns a thrown PythonError, which Roboflow does not wrap, into an OperationFault. */
export function withPythonErrorsAsFaults<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (error instanceof PythonError) throw new OperationFault(error.type, error.message);
    throw error;
  }
}
