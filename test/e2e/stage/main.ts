// What runs on the stage, in the order of the README beside it. Started by tools/e2e.mjs inside of the private namespaces.
import { FAULTS } from './faults';
import { changeScene, noneScene } from './scenes/change';
import { demoScene } from './scenes/demo';
import { bootstrapScene, deployScene } from './scenes/deploy';
import { destroyScene } from './scenes/destroy';
import { differencesScene } from './scenes/differences';
import { domainsScene } from './scenes/domains';
import { elsewhereScene } from './scenes/elsewhere';
import { faultsScene } from './scenes/faults';
import { preflightScene } from './scenes/preflight';
import { regionScene } from './scenes/region';
import { rightsScene, usedScene } from './scenes/rights';
import { rollbackScene } from './scenes/rollback';
import { Senders, cachesScene, countScene, sendersScene } from './scenes/senders';
import { soakScene } from './scenes/soak';
import { Stage } from './stage';

/** Without them nothing that follows can be told. */
const FOUNDATIONS = ['bootstrap', 'deploy'];

/** What does not end by then never does; a soak's deployments take half a minute, and some fifteen. */
const MOST_MINUTES = { quick: 15, all: 60, soak: 600 } as const;

/** Apps of their own, each deployed from nothing. */
const NOT_QUICK = ['region', 'domains', 'elsewhere'];

/** In `quick` no fault makes a deployment wait longer. */
const QUICK_SECONDS = 240;

async function main([root, python, folder, ...only]: readonly string[]): Promise<number> {
  const isQuick = only.join() === 'quick';
  const stage = await within(2, 'the stage to stand', Stage.open({ root, python, folder }));
  if (isQuick) stage.cli.mostSeconds = QUICK_SECONDS;
  const minutes = isQuick ? MOST_MINUTES.quick : only.at(0) === 'soak' ? MOST_MINUTES.soak : MOST_MINUTES.all;
  setTimeout(() => {
    const { table, cli } = stage;
    // Noted at once, since the proof is not to be waited for.
    void table.prove(`it ends within ${minutes} minutes`, () => {
      throw new Error(`it does not; it was in the midst of: ${table.unfinished.join(', ')}\nand waited for: ${cli.running() || 'no command'}`);
    });
    summary(stage);
    process.exit(1);
  }, minutes * 60_000).unref();
  if (only.at(0) === 'demo') return demoScene(stage);
  let started: Promise<Senders> | undefined;
  const senders = (): Promise<Senders> => started ??= Senders.start(stage);
  const scenes: Readonly<Record<string, (which?: string) => Promise<void>>> = {
    bootstrap: () => bootstrapScene(stage),
    preflight: () => preflightScene(stage),
    deploy: () => deployScene(stage),
    differences: () => differencesScene(stage),
    testing: async () => sendersScene(stage, await senders(), 'testing'),
    change: () => changeScene(stage),
    enforce: async () => sendersScene(stage, await senders(), 'enforce'),
    rollback: async () => rollbackScene(stage, await senders()),
    rights: (which) => rightsScene(stage, which),
    faults: (which) => faultsScene(stage, which),
    caches: async () => cachesScene(stage, await senders()),
    none: () => noneScene(stage),
    destroy: () => destroyScene(stage),
    region: () => regionScene(stage),
    domains: () => domainsScene(stage),
    elsewhere: () => elsewhereScene(stage),
    used: () => usedScene(stage),
  };
  if (only.at(0) === 'soak') {
    await soakScene(stage, ...only.slice(1, 3));
    return summary(stage);
  }
  const all = Object.keys(scenes);
  const chosen = isQuick ? all.filter((name) => !NOT_QUICK.includes(name)).map((name) => `${name}=quick`) : only.length === 0 ? all : only;
  const unknown = chosen.map(nameOf).find((name) => !Object.hasOwn(scenes, name));
  if (unknown !== undefined) throw new Error(`there is no scene ${unknown}; expected one of ${all.join(', ')}, or quick, or soak`);
  for (const choice of chosen) {
    try {
      await scenes[nameOf(choice)](choice.split('=').at(1));
    } catch (error) {
      // Between its claims; the others may stand all the same.
      await stage.table.prove('the scene comes to its end', () => {
        throw error;
      });
    }
    if (FOUNDATIONS.includes(nameOf(choice)) && stage.table.failed.length > 0) break;
  }
  if (only.length === 0 || isQuick) await countScene(stage);
  const failed = summary(stage);
  if (isQuick) {
    const left = FAULTS.filter(({ slow }) => slow === true).map(({ what }) => what);
    console.log(`\nLeft out of quick, for the time that they take (npm run e2e has them): the scenes ${NOT_QUICK.join(', ')}; deployments without a right; the faults: ${left.join('; ')}`);
  }
  return failed;
}

/** Of `faults=S3` for example. */
function nameOf(choice: string): string {
  return choice.split('=')[0];
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
  console.error(error);
  process.exit(1);
});
