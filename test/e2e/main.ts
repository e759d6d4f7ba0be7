// Runs the selected scenarios in order. tools/e2e.mjs starts it inside the private namespaces. docs/contribute/e2e-assertions.md lists what
// each scenario proves.
import { TestEnvironment } from './environment/environment';
import { Senders } from './environment/mail/senders/senders';
import { FAULTS, SHORT_FAULTS } from './faults';
import { demoScenario } from './scenarios/demo';
import { changeScenario, noneScenario } from './scenarios/deployment/change';
import { bootstrapScenario, deployScenario } from './scenarios/deployment/deploy';
import { destroyScenario } from './scenarios/deployment/destroy';
import { domainsScenario } from './scenarios/deployment/domains';
import { externalDnsScenario } from './scenarios/deployment/external-dns';
import { CREATIONS } from './scenarios/deployment/failed-creation';
import { preflightScenario, refusedScenario } from './scenarios/deployment/preflight';
import { regionScenario } from './scenarios/deployment/region';
import { differencesScenario } from './scenarios/differences/differences';
import { faultsScenario } from './scenarios/faults/faults';
import { hasRight, rightsScenario } from './scenarios/rights/rights';
import { usedScenario } from './scenarios/rights/rights-used';
import { isRollbackVariant } from './scenarios/rollback/after-rollback';
import { isLatePart, lateScenario } from './scenarios/rollback/late';
import { rollbackScenario } from './scenarios/rollback/rollback';
import { stuckScenario } from './scenarios/rollback/stuck';
import { cachesScenario } from './scenarios/senders/caches';
import { expiredScenario } from './scenarios/senders/expired';
import { movedScenario } from './scenarios/senders/moved';
import { countScenario, sendersScenario, severalScenario, wildcardScenario } from './scenarios/senders/senders';
import { soakScenario } from './scenarios/soak/soak';
import { SelectionError, matches, select } from './selection';
import type { Choice, Parts } from './selection';

/** If an assertion of these fails, the scenarios after it are skipped. */
const FOUNDATIONS = ['bootstrap', 'deploy'];

/** Time limits of a whole run. Most deployments of a soak take half a minute, some take fifteen minutes. */
const MAX_SECONDS = { quick: 15 * 60, all: 60 * 60, soak: 600 * 60 } as const;

/** Scenarios that `quick` leaves out, because each deploys another app from nothing. */
const NOT_QUICK = ['region', 'domains', 'external-dns'];

/** Time limit of a command in `quick`, where no fault delays a deployment longer. */
const MAX_QUICK_COMMAND_SECONDS = 240;

/** Exit status if the arguments select nothing. The launcher then prints no message of its own. */
const WRONG_SELECTION = 64;

/** All scenarios in order, each with the check of its parts. */
const SCENARIOS: ReadonlyMap<string, Parts> = new Map<string, Parts>([
  ['bootstrap', null],
  ['preflight', null],
  ['deploy', null],
  ['refused', null],
  ['differences', null],
  ['testing', null],
  ['change', null],
  ['enforce', null],
  ['several', null],
  ['wildcard', null],
  ['rollback', (part) => isRollbackVariant(part)],
  ['stuck', (part) => isRollbackVariant(part)],
  ['late', (part) => isLatePart(part)],
  ['rights', (part) => part === 'quick' || hasRight(part)],
  ['faults', (part) => part === 'quick' || matches(part, [...FAULTS, ...CREATIONS].map(({ what }) => what))],
  ['caches', null],
  ['moved', null],
  ['expired', null],
  ['none', null],
  ['destroy', null],
  ['region', null],
  ['domains', null],
  ['external-dns', null],
  ['used', null],
]);

async function main([root = '', python = '', node = '', folder = '', ...words]: readonly string[]): Promise<number> {
  const { kind, choices } = select(words, SCENARIOS, NOT_QUICK);
  const isQuick = kind === 'quick';
  const environment = await withTimeLimit(2, 'the start of the test environment', TestEnvironment.open({ root, python, node, folder }));
  if (isQuick) environment.cli.maxSeconds = MAX_QUICK_COMMAND_SECONDS;
  // .ci/run sets a shorter limit, and still gets the tables.
  const wanted = Number(process.env.E2E_SECONDS ?? Infinity);
  const seconds = Math.min(wanted, isQuick ? MAX_SECONDS.quick : kind === 'soak' ? MAX_SECONDS.soak : MAX_SECONDS.all);
  setTimeout(() => {
    const { table, cli } = environment;
    // `prove` reports a synchronous error before it returns, so there is no need to wait.
    void table.prove(`the run ends within ${seconds} s`, () => {
      throw new Error(`the run did not end. Unfinished: ${table.unfinished.join(', ')}\nRunning: ${cli.describeRunning() || 'no command'}`);
    });
    summary(environment);
    process.exit(1);
  }, seconds * 1000).unref();
  if (kind === 'demo') return demoScenario(environment);
  if (kind === 'soak') {
    await soakScenario(environment, ...words.slice(1));
    await proveFasterPolling(environment);
    return summary(environment);
  }
  await runScenarios(environment, choices);
  if (kind !== 'some') await countScenario(environment);
  await proveFasterPolling(environment);
  const failed = summary(environment);
  if (isQuick) {
    const leftOut = [...SHORT_FAULTS, ...CREATIONS].filter(({ slow }) => slow === true).map(({ what }) => what);
    console.log(`\nquick leaves out what takes long. Run npm run e2e for the scenarios ${NOT_QUICK.join(', ')}; deployments without a right; the faults: ${leftOut.join('; ')}`);
  }
  return failed;
}

/** Runs the selected scenarios, and resets the test environment after each. */
async function runScenarios(environment: TestEnvironment, choices: readonly Choice[]): Promise<void> {
  const { table } = environment;
  let started: Promise<Senders> | undefined;
  const senders = (): Promise<Senders> => started ??= Senders.start(environment);
  const scenarios: Readonly<Record<string, (part?: string) => Promise<void>>> = {
    'bootstrap': () => bootstrapScenario(environment),
    'preflight': () => preflightScenario(environment),
    'deploy': () => deployScenario(environment),
    'refused': () => refusedScenario(environment),
    'differences': () => differencesScenario(environment),
    'testing': async () => sendersScenario(environment, await senders(), 'testing'),
    'change': () => changeScenario(environment),
    'enforce': async () => sendersScenario(environment, await senders(), 'enforce'),
    'several': async () => severalScenario(environment, await senders()),
    'wildcard': async () => wildcardScenario(environment, await senders()),
    'rollback': async (part) => rollbackScenario(environment, await senders(), part),
    'stuck': async (part) => stuckScenario(environment, await senders(), part),
    'late': (part) => lateScenario(environment, part),
    'rights': (part) => rightsScenario(environment, part),
    'faults': (part) => faultsScenario(environment, part),
    'caches': async () => cachesScenario(environment, await senders()),
    'moved': async () => movedScenario(environment, await senders()),
    'expired': async () => expiredScenario(environment, await senders()),
    'none': () => noneScenario(environment),
    'destroy': () => destroyScenario(environment),
    'region': () => regionScenario(environment),
    'domains': () => domainsScenario(environment),
    'external-dns': () => externalDnsScenario(environment),
    'used': () => usedScenario(environment),
  };
  for (const [index, { scenario, part }] of choices.entries()) {
    const [assertions, failures] = [table.count, table.failed.length];
    try {
      await scenarios[scenario]?.(part);
      if (table.count === assertions) throw new Error(`${scenario} made no assertion`);
    } catch (error) {
      // The scenario failed between two assertions. The other scenarios still run.
      await table.prove('the scenario ends without an error', () => {
        throw error;
      });
    }
    await environment.reset().catch(async (error: unknown) => table.prove('the test environment can be reset after the scenario', () => {
      throw error;
    }));
    const left = choices.slice(index + 1).map((choice) => choice.scenario);
    if (FOUNDATIONS.includes(scenario) && table.failed.length > failures && left.length > 0) {
      console.log(`\nSkipped because ${scenario} failed: ${left.join(', ')}`);
      return;
    }
  }
}

/** Adds an assertion only if it fails, because it is not about the product. */
async function proveFasterPolling({ table, cli }: TestEnvironment): Promise<void> {
  try {
    cli.expectFasterPolling();
  } catch (error) {
    await table.prove('the CDK command polls stacks faster than by default', () => {
      throw error;
    });
  }
}

function summary({ table }: TestEnvironment): number {
  console.log(table.summary());
  return table.failed.length;
}

/** @param work - name of the work, for the error */
async function withTimeLimit<T>(minutes: number, work: string, promise: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      reject(new Error(`${work} took more than ${minutes} minutes`));
    }, minutes * 60_000);
  });
  return Promise.race([promise, late]).finally(() => {
    clearTimeout(limit);
  });
}

// The first process of a process namespace has no default signal handlers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
// Mail servers run as other users, which must be able to read the files of the run. The caller's umask could prevent that.
process.umask(0o022);
main(process.argv.slice(2)).then((failed) => {
  process.exit(failed === 0 ? 0 : 1);
}, (error: unknown) => {
  if (error instanceof SelectionError) {
    console.error(`npm run ${process.argv[5] === 'soak' ? 'soak' : 'e2e'}: ${error.message}`);
    process.exit(WRONG_SELECTION);
  }
  console.error(error);
  process.exit(1);
});
