// DetectionsRename: new names for the classes of detections, with matching ids.

import { isDict } from '../../../python/kind.ts';
import { compareText } from '../../../python/ordering.ts';
import type { Detection } from '../../detections.ts';
import { defineOperation, type OperationContext } from '../operation.ts';
import { OperationFault, shownValue, wrongInput } from '../operation-fault.ts';
import { integerParameter, namedParameter, ParameterName, toBoolean } from '../parameter.ts';
import { detectionsOf } from './detections-input.ts';

type ClassMap = Record<string, string>;

export const detectionsRename = defineOperation({
  type: 'DetectionsRename',
  summary: 'Renames the classes of detections and gives them new ids.',
  takesDetections: true,
  parameters: {
    class_map: namedParameter<ClassMap>(
      { type: 'object', additionalProperties: { type: 'string' } },
      { description: 'The new name of each class' },
      'an object with text values',
      (given) => (isClassMap(given) ? { value: given } : null),
    ),
    strict: namedParameter<boolean>(
      { type: 'boolean' },
      { description: 'If true, every class must be in the map; if false, other classes keep their name and id', fallback: true },
      'true or false',
      toBoolean,
    ),
    new_classes_id_offset: integerParameter({ description: 'The first id for new classes if `strict` is false', fallback: 1024 }),
  },
  apply: (value, { class_map, strict, new_classes_id_offset: offset }, context) => {
    const detections = detectionsOf(value, 'rename_detections(...)');
    const classMap = readClassMap(class_map, context);
    const ids = readStrict(strict, context) ? idsInOrder(detections.items, classMap) : idsAfterExisting(detections.items, classMap, offset);
    return detections.with(
      detections.items.map((detection) => {
        const className = newName(detection, classMap);
        return detection.with({ className, classId: ids.get(className) as bigint });
      }),
    );
  },
});

function newName({ className }: Detection, classMap: ClassMap): string {
  return Object.hasOwn(classMap, className) ? (classMap[className] as string) : className;
}

/** The id of a class is the index of its name among all new names, sorted. */
function idsInOrder(items: readonly Detection[], classMap: ClassMap): Map<string, bigint> {
  const missing = items.find(({ className }) => !Object.hasOwn(classMap, className));
  if (missing !== undefined) throw new OperationFault('OperationError', `Class '${missing.className}' not found in class_map.`);
  return new Map(sortedNames(classMap).map((name, place) => [name, BigInt(place)]));
}

/** Existing classes keep their ids. Each new name takes the next id from the offset, even if the id is in use. */
function idsAfterExisting(items: readonly Detection[], classMap: ClassMap, offset: number): Map<string, bigint> {
  const ids = new Map(items.map(({ className, classId }) => [className, classId]));
  const newNames = sortedNames(classMap).filter((name) => !ids.has(name));
  for (const [place, name] of newNames.entries()) ids.set(name, BigInt(offset + place));
  return ids;
}

function sortedNames(classMap: ClassMap): string[] {
  return [...new Set(Object.values(classMap))].sort(compareText);
}

function readClassMap(given: ClassMap | ParameterName, context: OperationContext): ClassMap {
  const value =
    given instanceof ParameterName ? parameterNamed(given.name, 'hold class mapping of rename_detections(...)', context) : given;
  if (isClassMap(value)) return value;
  throw wrongInput(`Executing rename_detections(...), expected dictionary to be given as class map, got ${shownValue(value)}`);
}

function readStrict(given: boolean | ParameterName, context: OperationContext): boolean {
  const value =
    given instanceof ParameterName
      ? parameterNamed(given.name, 'hold parameter for `strict` flag of rename_detections(...)', context)
      : given;
  if (typeof value === 'boolean') return value;
  throw wrongInput(`Executing rename_detections(...), expected dictionary to be given as \`strict\` flag, got ${shownValue(value)}`);
}

function parameterNamed(name: string, purpose: string, { parameters }: OperationContext): unknown {
  if (Object.hasOwn(parameters, name)) return parameters[name];
  throw new OperationFault(
    'UndeclaredSymbolError',
    `Attempted to retrieve variable \`${name}\` that was expected to ${purpose}, but that turned out not to be registered.`,
  );
}

function isClassMap(value: unknown): value is ClassMap {
  return isDict(value) && Object.values(value).every((name) => typeof name === 'string');
}
