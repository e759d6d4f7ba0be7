// Runs the scenarios in their order; docs/contribute/e2e-assertions.md says what each proves. Started by tools/e2e.mjs inside of the
// private namespaces.
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
import { isWay } from './scenarios/rollback/after-rollback';
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

/** Without them nothing that follows can be told. */
const FOUNDATIONS = ['bootstrap', 'deploy'];

/** In seconds. What does not end by then never does; a soak's deployments take half a minute, and some fifteen. */
const MAX_SECONDS = { quick: 15 * 60, all: 60 * 60, soak: 600 * 60 } as const;

/** Apps of their own, each deployed from nothing. */
const NOT_QUICK = ['region', 'domains', 'external-dns'];

/** In `quick` no fault makes a deployment wait longer. */
const QUICK_SECONDS = 240;

/** The status of a command line that selects nothing; the launcher adds nothing to what was said about it. */
const WRONG_SELECTION = 64;

/** All there are, in order, and what can be selected of them. */
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
  ['rollback', (part) => isWay(part)],
  ['stuck', (part) => isWay(part)],
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

async function main([root, python, node, folder, ...words]: readonly string[]): Promise<number> {
  const { kind, choices } = select(words, SCENARIOS, NOT_QUICK);
  const isQuick = kind === 'quick';
  const environment = await withTimeLimit(2, 'the stage to stand', TestEnvironment.open({ root, python, node, folder }));
  if (isQuick) environment.cli.maxSeconds = QUICK_SECONDS;
  // Who has less time says so, and has the tables all the same: .ci/run.
  const given = Number(process.env.E2E_SECONDS ?? Infinity);
  const seconds = Math.min(given, isQuick ? MAX_SECONDS.quick : kind === 'soak' ? MAX_SECONDS.soak : MAX_SECONDS.all);
  setTimeout(() => {
    const { table, cli } = environment;
    // Noted at once, since the proof is not to be waited for.
    void table.prove(`it ends within ${seconds} s`, () => {
      throw new Error(`it does not; it was in the midst of: ${table.unfinished.join(', ')}\nand waited for: ${cli.describeRunning() || 'no command'}`);
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
  await play(environment, choices);
  if (kind !== 'some') await countScenario(environment);
  await proveFasterPolling(environment);
  const failed = summary(environment);
  if (isQuick) {
    const left = [...SHORT_FAULTS, ...CREATIONS].filter(({ slow }) => slow === true).map(({ what }) => what);
    console.log(`\nLeft out of quick, for the time that they take (npm run e2e has them): the scenes ${NOT_QUICK.join(', ')}; deployments without a right; the faults: ${left.join('; ')}`);
  }
  return failed;
}

async function play(environment: TestEnvironment, choices: readonly Choice[]): Promise<void> {
  const { table } = environment;
  let started: Promise<Senders> | undefined;
  const senders = (): Promise<Senders> => started ??= Senders.start(environment);
  const scenarios: Readonly<Record<string, (part?: string) => Promise<void>>> = {
    bootstrap: () => bootstrapScenario(environment),
    preflight: () => preflightScenario(environment),
    deploy: () => deployScenario(environment),
    refused: () => refusedScenario(environment),
    differences: () => differencesScenario(environment),
    testing: async () => sendersScenario(environment, await senders(), 'testing'),
    change: () => changeScenario(environment),
    enforce: async () => sendersScenario(environment, await senders(), 'enforce'),
    several: async () => severalScenario(environment, await senders()),
    wildcard: async () => wildcardScenario(environment, await senders()),
    rollback: async (part) => rollbackScenario(environment, await senders(), part),
    stuck: async (part) => stuckScenario(environment, await senders(), part),
    late: (part) => lateScenario(environment, part),
    rights: (part) => rightsScenario(environment, part),
    faults: (part) => faultsScenario(environment, part),
    caches: async () => cachesScenario(environment, await senders()),
    moved: async () => movedScenario(environment, await senders()),
    expired: async () => expiredScenario(environment, await senders()),
    none: () => noneScenario(environment),
    destroy: () => destroyScenario(environment),
    region: () => regionScenario(environment),
    domains: () => domainsScenario(environment),
    'external-dns': () => externalDnsScenario(environment),
    used: () => usedScenario(environment),
  };
  for (const [index, { scenario, part }] of choices.entries()) {
    const [assertions, failures] = [table.count, table.failed.length];
    try {
      await scenarios[scenario](part);
      if (table.count === assertions) throw new Error(`${scenario} made no claim`);
    } catch (error) {
      // Between its claims; the others may stand all the same.
      await table.prove('the scene comes to its end', () => {
        throw error;
      });
    }
    await environment.reset().catch(async (error: unknown) => table.prove('the world can be made as it was before the scene', () => {
      throw error;
    }));
    const left = choices.slice(index + 1).map((choice) => choice.scenario);
    if (FOUNDATIONS.includes(scenario) && table.failed.length > failures && left.length > 0) {
      console.log(`\nnot played, since ${scenario} failed: ${left.join(', ')}`);
      return;
    }
  }
}

/** A claim only where it is false: it says nothing of what is tested. */
async function proveFasterPolling({ table, cli }: TestEnvironment): Promise<void> {
  try {
    cli.expectFasterPolling();
  } catch (error) {
    await table.prove('the CDK command looks more often than on its own', () => {
      throw error;
    });
  }
}

function summary({ table }: TestEnvironment): number {
  console.log(table.summary());
  return table.failed.length;
}

async function withTimeLimit<T>(minutes: number, what: string, promise: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      reject(new Error(`${minutes} minutes were not enough for ${what}`));
    }, minutes * 60_000);
  });
  return Promise.race([promise, late]).finally(() => {
    clearTimeout(limit);
  });
}

// The first process of a namespace has no signal handlers but its own.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
// Mail servers do their work as users that must read what is written here, whatever the umask of who started it.
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
