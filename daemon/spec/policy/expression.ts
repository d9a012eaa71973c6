import { createContext, Script } from 'node:vm';
import { Environment } from '@marcbachmann/cel-js';
import type { PolicyOperation } from '../schema/policy.ts';

/** Longest expression, characters; the bounds below keep its tree small too. */
export const longestExpression = 2000;
/** Longest time one evaluation may take, milliseconds. Usual ones take a hundredth of one. */
const longestEvaluation = 1000;
/** Longest text that an expression may give. */
const longestText = 1000;

const environment = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 1000, maxDepth: 50 },
})
  .registerVariable('object', 'dyn')
  .registerVariable('oldObject', 'dyn')
  .registerVariable('request', 'dyn');

/** What an expression may look at. */
export interface Variables {
  readonly object: unknown;
  readonly oldObject: unknown;
  readonly request: { readonly principal: string; readonly operation: PolicyOperation };
}

/** An expression that was read, or the reason why it cannot be. */
export type Compiled =
  | { readonly isValid: true; evaluate(variables: Variables): Evaluated }
  | { readonly isValid: false; readonly reason: string };

/** What came of an evaluation. `failed` = it could not be evaluated, and says nothing of the cluster. */
export type Evaluated =
  | { readonly outcome: 'value'; readonly value: boolean | string }
  | { readonly outcome: 'failed'; readonly reason: string };

/** Reads and checks an expression. Nothing is evaluated. */
export function compile(expression: string, result: 'bool' | 'string'): Compiled {
  if (expression.length > longestExpression) return { isValid: false, reason: 'it is too long' };
  try {
    const program = environment.parse(expression);
    const { valid, type, error } = program.check();
    if (!valid) return { isValid: false, reason: firstLine(error) };
    if (type !== result && type !== 'dyn')
      return { isValid: false, reason: `it gives ${type ?? 'nothing'}, and ${result} is needed` };
    return { isValid: true, evaluate: (variables) => evaluate(program, variables, result) };
  } catch (error) {
    return { isValid: false, reason: firstLine(error) };
  }
}

type Program = ReturnType<typeof environment.parse>;

/*
 * The evaluator only walks a tree and makes no code, but a regular expression or comprehensions in one another may take
 * for ever. V8 can be told to stop what runs below a script: this one is fixed and only calls us.
 */
const sandbox: { run: () => unknown } = { run: () => undefined };
const context = createContext(sandbox, { codeGeneration: { strings: false, wasm: false } });
const script = new Script('run()');

function evaluate(program: Program, variables: Variables, result: 'bool' | 'string'): Evaluated {
  const given = {
    object: celValue(variables.object),
    oldObject: celValue(variables.oldObject),
    request: celValue(variables.request),
  };
  sandbox.run = () => program(given) as unknown;
  try {
    const value: unknown = script.runInContext(context, { timeout: longestEvaluation });
    if (result === 'bool' && typeof value === 'boolean') return { outcome: 'value', value };
    if (result === 'string' && typeof value === 'string')
      return { outcome: 'value', value: value.slice(0, longestText) };
    return { outcome: 'failed', reason: `it gave no ${result}` };
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    return {
      outcome: 'failed',
      reason: code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? 'it took too long' : firstLine(error),
    };
  }
}

/** JSON as CEL sees it: whole numbers are integers, not floating-point ones. */
function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (value === null || typeof value !== 'object') return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, celValue(inner)]));
}

/** The evaluator's messages quote the expression below their first line. */
const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .split('\n')[0]
    ?.trim()
    .replace(/\.$/, '')
    .slice(0, 200) ?? 'unknown reason';
