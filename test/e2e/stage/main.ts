// Runs the scenarios in their order; docs/contribute/e2e-assertions.md says what each proves. Started by tools/e2e.mjs inside of the
// private namespaces.
import { FAULTS, SHORT_FAULTS } from './faults';
import { isWay } from './scenes/after-rollback';
import { cachesScene } from './scenes/caches';
import { changeScene, noneScene } from './scenes/change';
import { demoScene } from './scenes/demo';
import { bootstrapScene, deployScene } from './scenes/deploy';
import { destroyScene } from './scenes/destroy';
import { differencesScene } from './scenes/differences';
import { domainsScene } from './scenes/domains';
import { elsewhereScene } from './scenes/elsewhere';
import { CREATIONS } from './scenes/failed-creation';
import { expiredScene } from './scenes/expired';
import { faultsScene } from './scenes/faults';
import { isLatePart, lateScene } from './scenes/late';
import { movedScene } from './scenes/moved';
import { preflightScene, refusedScene } from './scenes/preflight';
import { regionScene } from './scenes/region';
import { hasRight, rightsScene } from './scenes/rights';
import { usedScene } from './scenes/rights-used';
import { rollbackScene } from './scenes/rollback';
import { countScene, sendersScene, severalScene, wildcardScene } from './scenes/senders';
import { soakScene } from './scenes/soak';
import { stuckScene } from './scenes/stuck';
import { SelectionError, matches, select } from './selection';
import type { Choice, Parts } from './selection';
import { Senders } from './senders/senders';
import { Stage } from './stage';

/** Without them nothing that follows can be told. */
const FOUNDATIONS = ['bootstrap', 'deploy'];

/** In seconds. What does not end by then never does; a soak's deployments take half a minute, and some fifteen. */
const MOST_SECONDS = { quick: 15 * 60, all: 60 * 60, soak: 600 * 60 } as const;

/** Apps of their own, each deployed from nothing. */
const NOT_QUICK = ['region', 'domains', 'elsewhere'];

/** In `quick` no fault makes a deployment wait longer. */
const QUICK_SECONDS = 240;

/** The status of a command line that selects nothing; the launcher adds nothing to what was said about it. */
const WRONG_SELECTION = 64;

/** All there are, in order, and what can be selected of them. */
const SCENES: ReadonlyMap<string, Parts> = new Map<string, Parts>([
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
  ['elsewhere', null],
  ['used', null],
]);

async function main([root, python, node, folder, ...words]: readonly string[]): Promise<number> {
  const { kind, choices } = select(words, SCENES, NOT_QUICK);
  const isQuick = kind === 'quick';
  const stage = await within(2, 'the stage to stand', Stage.open({ root, python, node, folder }));
  if (isQuick) stage.cli.mostSeconds = QUICK_SECONDS;
  // Who has less time says so, and has the tables all the same: .ci/run.
  const given = Number(process.env.STAGE_SECONDS ?? Infinity);
  const seconds = Math.min(given, isQuick ? MOST_SECONDS.quick : kind === 'soak' ? MOST_SECONDS.soak : MOST_SECONDS.all);
  setTimeout(() => {
    const { table, cli } = stage;
    // Noted at once, since the proof is not to be waited for.
    void table.prove(`it ends within ${seconds} s`, () => {
      throw new Error(`it does not; it was in the midst of: ${table.unfinished.join(', ')}\nand waited for: ${cli.running() || 'no command'}`);
    });
    summary(stage);
    process.exit(1);
  }, seconds * 1000).unref();
  if (kind === 'demo') return demoScene(stage);
  if (kind === 'soak') {
    await soakScene(stage, ...words.slice(1));
    await proveQuickerLooks(stage);
    return summary(stage);
  }
  await play(stage, choices);
  if (kind !== 'some') await countScene(stage);
  await proveQuickerLooks(stage);
  const failed = summary(stage);
  if (isQuick) {
    const left = [...SHORT_FAULTS, ...CREATIONS].filter(({ slow }) => slow === true).map(({ what }) => what);
    console.log(`\nLeft out of quick, for the time that they take (npm run e2e has them): the scenes ${NOT_QUICK.join(', ')}; deployments without a right; the faults: ${left.join('; ')}`);
  }
  return failed;
}

async function play(stage: Stage, choices: readonly Choice[]): Promise<void> {
  const { table } = stage;
  let started: Promise<Senders> | undefined;
  const senders = (): Promise<Senders> => started ??= Senders.start(stage);
  const scenes: Readonly<Record<string, (part?: string) => Promise<void>>> = {
    bootstrap: () => bootstrapScene(stage),
    preflight: () => preflightScene(stage),
    deploy: () => deployScene(stage),
    refused: () => refusedScene(stage),
    differences: () => differencesScene(stage),
    testing: async () => sendersScene(stage, await senders(), 'testing'),
    change: () => changeScene(stage),
    enforce: async () => sendersScene(stage, await senders(), 'enforce'),
    several: async () => severalScene(stage, await senders()),
    wildcard: async () => wildcardScene(stage, await senders()),
    rollback: async (part) => rollbackScene(stage, await senders(), part),
    stuck: async (part) => stuckScene(stage, await senders(), part),
    late: (part) => lateScene(stage, part),
    rights: (part) => rightsScene(stage, part),
    faults: (part) => faultsScene(stage, part),
    caches: async () => cachesScene(stage, await senders()),
    moved: async () => movedScene(stage, await senders()),
    expired: async () => expiredScene(stage, await senders()),
    none: () => noneScene(stage),
    destroy: () => destroyScene(stage),
    region: () => regionScene(stage),
    domains: () => domainsScene(stage),
    elsewhere: () => elsewhereScene(stage),
    used: () => usedScene(stage),
  };
  for (const [index, { scene, part }] of choices.entries()) {
    const [claims, failures] = [table.count, table.failed.length];
    try {
      await scenes[scene](part);
      if (table.count === claims) throw new Error(`${scene} made no claim`);
    } catch (error) {
      // Between its claims; the others may stand all the same.
      await table.prove('the scene comes to its end', () => {
        throw error;
      });
    }
    await stage.restore().catch(async (error: unknown) => table.prove('the world can be made as it was before the scene', () => {
      throw error;
    }));
    const left = choices.slice(index + 1).map((choice) => choice.scene);
    if (FOUNDATIONS.includes(scene) && table.failed.length > failures && left.length > 0) {
      console.log(`\nnot played, since ${scene} failed: ${left.join(', ')}`);
      return;
    }
  }
}

/** A claim only where it is false: it says nothing of what is tested. */
async function proveQuickerLooks({ table, cli }: Stage): Promise<void> {
  try {
    cli.quickerLooks();
  } catch (error) {
    await table.prove('the CDK command looks more often than on its own', () => {
      throw error;
    });
  }
}

function summary({ table }: Stage): number {
  console.log(table.summary());
  return table.failed.length;
}

async function within<T>(minutes: number, what: string, promise: Promise<T>): Promise<T> {
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
