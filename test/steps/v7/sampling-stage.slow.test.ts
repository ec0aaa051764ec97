// The Sampling Stage: the shares of edges, repeated draws, and refused definitions.

import { describe, expect, test } from 'vitest';
import { formatRunId } from '../../../src/core/run/run-id.ts';
import { createRunIds } from '../../../src/ids.ts';
import { samplingStage } from '../../../src/steps/v7/sampling-stage.ts';
import { faultsOf } from '../roboflow/step-context.ts';
import { type Drawn, draw } from './draw.ts';

const edge = (percent: number, to: string, name?: string) => ({
  percent,
  next_steps: [`$steps.${to}`],
  ...(name === undefined ? {} : { name }),
});

const RUNS = 10_000;
/** Consecutive ids with the smallest possible difference. */
const sequentialIds = Array.from({ length: RUNS }, (_, index) => formatRunId(370_000_000_000_000 + index, new Uint8Array(20)));

const share = (drawn: readonly Drawn[], step: string): number => drawn.filter(({ chosen }) => chosen?.includes(step)).length / drawn.length;
const sigma = (probability: number): number => Math.sqrt((probability * (1 - probability)) / RUNS);

describe('shares of edges', () => {
  test('an edge of 20 per cent receives 20 per cent of 10,000 runs, within 3 sigma, even if the ids hardly differ', () => {
    const drawn = sequentialIds.map((runId) => draw({ edges: [edge(20, 'a')], else: ['$steps.b'] }, runId));
    expect(Math.abs(share(drawn, 'a') - 0.2)).toBeLessThan(3 * sigma(0.2));
    expect(share(drawn, 'a') + share(drawn, 'b')).toBe(1);
    const places = drawn.map(({ outputs }) => outputs['draw'] as number);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const inside = places.filter((place) => Math.floor(place / 10) === tenth).length / RUNS;
      expect(Math.abs(inside - 0.1), `tenth ${tenth}`).toBeLessThan(4 * sigma(0.1));
    }
  });

  test('the shares are kept for the ids that the server creates', () => {
    const newRunId = createRunIds(() => Date.UTC(2026, 10, 21), 0);
    const drawn = Array.from({ length: RUNS }, () => draw({ edges: [edge(20, 'a')] }, newRunId()));
    // These ids are random: a deviation of 6 sigma occurs once in 500 million runs of this test.
    expect(Math.abs(share(drawn, 'a') - 0.2)).toBeLessThan(6 * sigma(0.2));
  });

  test('several edges keep their shares, an item takes one of them, and the rest takes else', () => {
    const drawn = sequentialIds.map((runId) => draw({ edges: [edge(20, 'a'), edge(50, 'b')], else: ['$steps.c'] }, runId));
    for (const { chosen } of drawn) expect(chosen).toHaveLength(1);
    for (const [step, probability] of [
      ['a', 0.2],
      ['b', 0.5],
      ['c', 0.3],
    ] as const)
      expect(Math.abs(share(drawn, step) - probability), step).toBeLessThan(3 * sigma(probability));
  });

  test('independent edges keep their shares, and their overlap is that of chance', () => {
    const drawn = sequentialIds.map((runId) =>
      draw({ mode: 'independent', edges: [edge(20, 'a'), edge(60, 'b')], else: ['$steps.c'] }, runId),
    );
    const both = drawn.filter(({ chosen }) => chosen?.length === 2).length / RUNS;
    for (const [found, probability] of [
      [share(drawn, 'a'), 0.2],
      [share(drawn, 'b'), 0.6],
      [both, 0.12],
      [share(drawn, 'c'), 0.32],
    ] as const)
      expect(Math.abs(found - probability)).toBeLessThan(3 * sigma(probability));
  });

  test('the draws of two stages of a run, and of consecutive runs, are independent', () => {
    const [first, second] = ['s1', 's2'].map((step) => sequentialIds.map((runId) => draw({ edges: [edge(20, 'a')] }, runId, step))) as [
      Drawn[],
      Drawn[],
    ];
    const goes = ({ chosen }: Drawn | undefined = first[0] as Drawn): boolean => chosen?.includes('a') === true;
    const both = first.filter((drawn, index) => goes(drawn) && goes(second[index])).length / RUNS;
    const twice = first.filter((drawn, index) => index > 0 && goes(drawn) && goes(first[index - 1])).length / RUNS;
    for (const found of [both, twice]) expect(Math.abs(found - 0.04)).toBeLessThan(4 * sigma(0.04));
  });

  test('an edge of 0 per cent is never taken, and one of 100 per cent always', () => {
    for (const mode of ['split', 'independent']) {
      const drawn = sequentialIds.slice(0, 500).map((runId) => draw({ mode, edges: [edge(0, 'never'), edge(100, 'always')] }, runId));
      expect([share(drawn, 'never'), share(drawn, 'always')]).toEqual([0, 1]);
    }
  });
});

test('a repeated plan of a run has the same draw', () => {
  for (const mode of ['split', 'independent']) {
    const manifest = { mode, edges: [edge(30, 'a', 'first'), edge(40, 'b')] };
    const drawn = sequentialIds.slice(0, 200).map((runId) => draw(manifest, runId));
    expect(sequentialIds.slice(0, 200).map((runId) => draw(manifest, runId))).toEqual(drawn);
    expect(new Set(drawn.map(({ outputs }) => JSON.stringify(outputs['edges']))).size).toBeGreaterThan(2);
  }
});

test('edges are reported by name, or by index', () => {
  const drawn = sequentialIds.slice(0, 100).map((runId) => draw({ edges: [edge(50, 'a', 'first'), edge(50, 'b')] }, runId));
  expect(new Set(drawn.flatMap(({ outputs }) => outputs['edges']))).toEqual(new Set(['first', 1]));
});

describe('definitions of a sampling stage', () => {
  test.each<[string, object, string]>([
    [
      'percents above 100 in total',
      { edges: [edge(80, 'a'), edge(40, 'b')] },
      'edges: the percents of all edges must add up to at most 100, but add up to 120',
    ],
    ['a negative percent', { edges: [edge(-1, 'a')] }, 'edges[0].percent: must be >= 0'],
    ['a percent above 100', { mode: 'independent', edges: [edge(101, 'a')] }, 'edges[0].percent: must be <= 100'],
    ['no edges', { edges: [] }, 'edges: must NOT have fewer than 1 items'],
    ['an unknown mode', { mode: 'quota', edges: [edge(1, 'a')] }, 'mode: must be one of "split", "independent"'],
    [
      'an edge to no step',
      { edges: [{ percent: 1, next_steps: ['a'] }] },
      'edges[0].next_steps[0]: must name a step, such as "$steps.name"',
    ],
    ['a name that is a selector', { edges: [edge(1, 'a', '$inputs.x')] }, 'edges[0].name: must be a name, not a selector'],
  ])('a sampling stage is refused for %s', (_what, manifest, fault) => {
    expect(faultsOf(samplingStage, manifest).join()).toContain(fault);
  });

  test('a sum of 100 up to rounding is accepted, and independent edges may exceed it', () => {
    expect(faultsOf(samplingStage, { edges: [edge(33.3, 'a'), edge(33.3, 'b'), edge(33.4, 'c')] })).toEqual([]);
    expect(faultsOf(samplingStage, { mode: 'independent', edges: [edge(80, 'a'), edge(80, 'b')] })).toEqual([]);
  });
});
