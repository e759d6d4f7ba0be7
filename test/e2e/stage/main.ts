// What runs on the stage, in the order of the README beside it. Started by tools/e2e.mjs inside of the private namespaces.
import { changeScene, noneScene } from './scenes/change';
import { bootstrapScene, deployScene } from './scenes/deploy';
import { destroyScene } from './scenes/destroy';
import { differencesScene } from './scenes/differences';
import { faultsScene } from './scenes/faults';
import { preflightScene } from './scenes/preflight';
import { rightsScene, usedScene } from './scenes/rights';
import { rollbackScene } from './scenes/rollback';
import { Senders, cachesScene, sendersScene } from './scenes/senders';
import { soakScene } from './scenes/soak';
import { Stage } from './stage';

/** Without them nothing that follows can be told. */
const FOUNDATIONS = ['bootstrap', 'deploy'];

async function main([root, python, folder, ...only]: readonly string[]): Promise<number> {
  const stage = await Stage.open({ root, python, folder });
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
    rollback: () => rollbackScene(stage, { mode: 'enforce' }, { mode: 'testing' }),
    rights: (which) => rightsScene(stage, which),
    faults: (which) => faultsScene(stage, which),
    caches: async () => cachesScene(stage, await senders()),
    none: () => noneScene(stage),
    destroy: () => destroyScene(stage),
    used: () => usedScene(stage),
  };
  if (only.at(0) === 'soak') {
    await soakScene(stage, ...only.slice(1, 3));
    return summary(stage);
  }
  const chosen = only.length === 0 ? Object.keys(scenes) : only.join() === 'quick' ? Object.keys(scenes).map((name) => `${name}=quick`) : only;
  for (const choice of chosen) {
    const [name, which] = choice.split('=');
    if (!Object.hasOwn(scenes, name)) throw new Error(`there is no scene ${name}; expected one of ${Object.keys(scenes).join(', ')}`);
    await scenes[name](which);
    if (FOUNDATIONS.includes(name) && stage.table.failed.length > 0) break;
  }
  return summary(stage);
}

function summary({ table: { count, failed } }: Stage): number {
  console.log(`\n${count} claims, ${failed.length} not proven${failed.map((claim) => `\n  ✖ ${claim}`).join('')}`);
  return failed.length;
}

main(process.argv.slice(2)).then((failed) => {
  process.exit(failed === 0 ? 0 : 1);
}, (error: unknown) => {
  console.error(error);
  process.exit(1);
});
