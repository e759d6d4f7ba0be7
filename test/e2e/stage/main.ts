// What runs on the stage, in the order of the README beside it. Started by tools/e2e.mjs inside of the private namespaces.
import { changeScene } from './scenes/change';
import { bootstrapScene, deployScene } from './scenes/deploy';
import { destroyScene } from './scenes/destroy';
import { preflightScene } from './scenes/preflight';
import { rollbackScene } from './scenes/rollback';
import { Stage } from './stage';

async function main([root, python, folder]: readonly string[]): Promise<number> {
  const stage = await Stage.open({ root, python, folder });
  await bootstrapScene(stage);
  await preflightScene(stage);
  await deployScene(stage);
  await changeScene(stage);
  await rollbackScene(stage, { mode: 'enforce' }, { mode: 'testing' });
  await destroyScene(stage, { mode: 'enforce' });
  return stage.table.failed.length;
}

main(process.argv.slice(2)).then((failed) => {
  process.exit(failed === 0 ? 0 : 1);
}, (error: unknown) => {
  console.error(error);
  process.exit(1);
});
