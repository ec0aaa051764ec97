// The kinds of parameters of operations, each with its schema. Values are coerced as by pydantic: `"2"` and `2.0` are the
// integer 2, `"yes"` is true.

import { isDict, kindOf } from '../../python/kind.ts';
import { type PythonNumber, readNumber } from '../../python/number.ts';
import { compilePythonRegex, type PythonRegex } from '../../python/regex/regex.ts';
import { RegexFault } from '../../python/regex/regex-fault.ts';
import type { JsonSchema } from '../../schema.ts';
import { coerceBoolean, coerceFloat, coerceInteger } from '../../values/coercion.ts';
import type { Parameter, Predicate, Reading, Transform } from './operation.ts';

interface Description<Value> {
  description: string;
  /** Without a fallback, the parameter is required. */
  fallback?: Value;
}

/** Null if the value cannot be coerced. */
type Coercion<Value> = (given: unknown) => { value: Value } | null;

function parameterOf<Value>(
  schema: JsonSchema,
  { description, fallback }: Description<Value>,
  expected: string,
  coerce: Coercion<Value>,
): Parameter<Value> {
  const isRequired = fallback === undefined;
  return {
    schema: { ...schema, description, ...(isRequired ? {} : { default: fallback }) },
    isRequired,
    read(given): Reading<Value> {
      if (given === undefined) return isRequired ? fault(`is missing; it must be ${expected}`) : { value: fallback };
      return coerce(given) ?? fault(`must be ${expected}`);
    },
  };
}

function fault(message: string): { faults: [{ path: string; message: string }] } {
  return { faults: [{ path: '', message }] };
}

export function integerParameter(details: Description<number> & { minimum?: number; maximum?: number }): Parameter<number> {
  const { minimum = -Number.MAX_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = details;
  const bounds = { ...(details.minimum === undefined ? {} : { minimum }), ...(details.maximum === undefined ? {} : { maximum }) };
  const expected = 'minimum' in bounds ? `an integer from ${minimum} to ${maximum}` : 'an integer';
  return parameterOf({ type: 'integer', ...bounds }, details, expected, (given) => {
    const integer = coerceInteger(given);
    return integer === null || integer < minimum || integer > maximum ? null : { value: Number(integer) };
  });
}

export function floatParameter(details: Description<number>): Parameter<number> {
  return parameterOf({ type: 'number' }, details, 'a number', (given) => {
    const float = coerceFloat(given);
    return float === null ? null : { value: float };
  });
}

/** An int or a float, as written in the definition. */
export function numberParameter(details: Description<PythonNumber>): Parameter<PythonNumber> {
  return parameterOf({ type: 'number' }, details, 'a number', (given) => {
    const number = readNumber(given) ?? coerceInteger(given) ?? coerceFloat(given);
    return number === null ? null : { value: number };
  });
}

export function booleanParameter(details: Description<boolean>): Parameter<boolean> {
  return parameterOf({ type: 'boolean' }, details, 'true or false', toBoolean);
}

/** The coercion of a boolean parameter. */
export function toBoolean(given: unknown): { value: boolean } | null {
  const value = coerceBoolean(given);
  return value === null ? null : { value };
}

export function textParameter(details: Description<string>): Parameter<string> {
  return parameterOf({ type: 'string' }, details, 'text', (given) => (typeof given === 'string' ? { value: given } : null));
}

export function choiceParameter<const Choice extends string>(choices: readonly Choice[], details: Description<Choice>): Parameter<Choice> {
  const expected = `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`;
  return parameterOf({ type: 'string', enum: choices }, details, expected, (given) => {
    const choice = choices.find((item) => item === given);
    return choice === undefined ? null : { value: choice };
  });
}

export function objectParameter(details: Description<Record<string, unknown>>): Parameter<Record<string, unknown>> {
  return parameterOf({ type: 'object' }, details, 'an object', (given) => (isDict(given) ? { value: given } : null));
}

export function anyParameter(details: { description: string; fallback: unknown }): Parameter<unknown> {
  return parameterOf({}, details, 'any value', (given) => ({ value: given }));
}

/** The name of a value that is given when the operation runs. A class, because a plain object could be the value itself. */
export class ParameterName {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value, or the name of a parameter that contains it when the operation runs. */
export function namedParameter<Value>(
  schema: JsonSchema,
  details: Description<Value>,
  expected: string,
  coerce: Coercion<Value>,
): Parameter<Value | ParameterName> {
  return parameterOf<Value | ParameterName>(
    { anyOf: [schema, { type: 'string' }] },
    details,
    `${expected}, or the name of a parameter that contains it`,
    (given) => (kindOf(given) === 'str' ? { value: new ParameterName(given as string) } : coerce(given)),
  );
}

export function regexParameter({ description }: { description: string }): Parameter<PythonRegex> {
  return {
    schema: { type: 'string', format: 'regex', description },
    isRequired: true,
    read(given) {
      if (typeof given !== 'string') return fault('must be text with a regular expression');
      try {
        return { value: compilePythonRegex(given) };
      } catch (error) {
        if (error instanceof RegexFault) return fault(error.message);
        throw error;
      }
    },
  };
}

export function operationsParameter({ description }: { description: string }): Parameter<Transform> {
  return {
    schema: { type: 'array', items: { type: 'object' }, description },
    isRequired: true,
    read: (given, nested, place) =>
      given === undefined ? fault('is missing; it must be a list of operations') : nested.operations(given, () => place),
  };
}

export function statementGroupParameter({ description }: { description: string }): Parameter<Predicate> {
  return {
    schema: { type: 'object', description },
    isRequired: true,
    read: (given, nested, place) =>
      given === undefined ? fault('is missing; it must be a StatementGroup') : nested.statementGroup(given, place),
  };
}
