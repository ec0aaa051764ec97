// The methods of the storage contract as synchronous changes and reads of a shared state, for one owner.

import type { Storage } from '../../../src/storage/storage.ts';
import { blockClient, listBlockedClients, unblockClient } from './blocked-clients.ts';
import { changeDefinitions, findWorkflow, listVersions, loadDefinitions } from './definitions.ts';
import { claimDeliveries, listDueOrigins, releaseDeliveries, renewDeliveries } from './deliveries/delivery-leases.ts';
import { getDelivery, listDeliveries } from './deliveries/delivery-reads.ts';
import { recordAttempt } from './deliveries/record-attempts.ts';
import { retryDeliveries } from './deliveries/retry-deliveries.ts';
import { cancelJob, claimJobs, createJob, listJobs, nextJobDue, recordJob, selectedRuns } from './jobs.ts';
import { measureLoad } from './load.ts';
import { getRejection, listRejections, recordRejections } from './rejections.ts';
import { countFlow } from './runs/flow-control.ts';
import { findReply, storeReply } from './runs/replies.ts';
import { findUnreferencedBlobs, pruneRuns } from './runs/retention.ts';
import { claimDueRuns, nextWake, recoverRuns, releaseRun, renewLeases } from './runs/run-leases.ts';
import { findOutput, getHead, listFiles, listSteps, readPart } from './runs/run-parts.ts';
import { findStream, getOutcome, getRun, listRequests, listRequestTimes, listRuns, readEvents } from './runs/run-reads.ts';
import { searchRuns } from './runs/search-runs.ts';
import { readMemory } from './runs/step-memory.ts';
import { advanceRun, cancelRun, createRun, createRuns } from './runs/write-runs.ts';
import { deleteSample, listSamples, saveSample } from './samples.ts';
import { listSchedules, moveSchedule } from './schedules.ts';
import type { State } from './state.ts';

export type OperationName = Exclude<keyof Storage, 'watch' | 'close'>;

export type Operations = {
  [Name in OperationName]: (...args: Parameters<Storage[Name]>) => Awaited<ReturnType<Storage[Name]>>;
};

export function createOperations(state: State, owner: number): Operations {
  return {
    createRun: (run) => createRun(state, owner, run),
    createRuns: (runs, key) => createRuns(state, owner, runs, key),
    advanceRun: (lease, turn) => advanceRun(state, owner, lease, turn),
    claimDueRuns: (limits) => claimDueRuns(state, owner, limits),
    renewLeases: (leases) => renewLeases(state, leases),
    releaseRun: (lease, delayMs) => releaseRun(state, lease, delayMs),
    recoverRuns: (dead) => recoverRuns(state, (of) => of === dead),
    reapOwners: () => recoverRuns(state, (of) => !state.owners.isAlive(of)),
    cancelRun: (runId) => cancelRun(state, runId),
    storeReply: (reply) => storeReply(state, reply),
    findReply: (runId, replyId) => findReply(state, runId, replyId),
    nextWake: () => nextWake(state),
    readMemory: (sinkId, keys) => readMemory(state, sinkId, keys),
    getRun: (runId) => getRun(state, runId),
    getOutcome: (runId) => getOutcome(state, runId),
    getHead: (runId) => getHead(state, runId),
    listSteps: (...of) => listSteps(state, ...of),
    listFiles: (...of) => listFiles(state, ...of),
    findOutput: (...of) => findOutput(state, ...of),
    readPart: (...of) => readPart(state, ...of),
    countFlow: (sinkId) => countFlow(state, sinkId),
    listRuns: (filter) => listRuns(state, filter),
    searchRuns: (search) => searchRuns(state, search),
    listRequests: (...of) => listRequests(state, ...of),
    listRequestTimes: (...of) => listRequestTimes(state, ...of),
    readEvents: (runId, after) => readEvents(state, runId, after),
    findStream: (runId) => findStream(state, runId),
    pruneRuns: (limits) => pruneRuns(state, limits),
    findUnreferencedBlobs: (hashes) => findUnreferencedBlobs(state, hashes),
    recordAttempt: (delivery, attempt, next, waitingRun) => recordAttempt(state, owner, delivery, attempt, next, waitingRun),
    claimDeliveries: (limits) => claimDeliveries(state, owner, limits),
    renewDeliveries: (leases) => renewDeliveries(state, leases),
    releaseDeliveries: (leases) => releaseDeliveries(state, leases),
    listDueOrigins: () => listDueOrigins(state),
    retryDeliveries: (ids) => retryDeliveries(state, ids),
    getDelivery: (id) => getDelivery(state, id),
    listDeliveries: (filter) => listDeliveries(state, filter),
    loadDefinitions: () => loadDefinitions(state),
    definitionsVersion: () => state.definitions.version,
    findWorkflow: (appId, workflowId, version) => findWorkflow(state, appId, workflowId, version),
    listVersions: (appId, workflowId, page) => listVersions(state, appId, workflowId, page),
    changeDefinitions: (edit) => changeDefinitions(state, edit),
    recordRejections: (changes) => recordRejections(state, changes),
    listRejections: (filter) => listRejections(state, filter),
    getRejection: (position) => getRejection(state, position),
    blockClient: (block) => blockClient(state, block),
    unblockClient: (range) => unblockClient(state, range),
    listBlockedClients: () => listBlockedClients(state),
    listSchedules: () => listSchedules(state),
    moveSchedule: (move) => moveSchedule(state, move),
    createJob: (job) => createJob(state, job),
    claimJobs: (limit) => claimJobs(state, owner, limit),
    recordJob: (lease, status, progress) => recordJob(state, lease, status, progress),
    cancelJob: (id) => cancelJob(state, id),
    nextJobDue: () => nextJobDue(state),
    getJob: (id) => state.jobs.get(id)?.job ?? null,
    listJobs: (filter) => listJobs(state, filter),
    listSelectedRuns: (runs, after, limit) => selectedRuns(state, runs, after).slice(0, limit),
    countSelectedRuns: (runs) => selectedRuns(state, runs, null).length,
    saveSample: (sinkId, sample) => saveSample(state, sinkId, sample),
    deleteSample: (sinkId, runId) => deleteSample(state, sinkId, runId),
    listSamples: (sinkId) => listSamples(state, sinkId),
    measureLoad: () => measureLoad(state),
    ping: () => undefined,
  };
}
