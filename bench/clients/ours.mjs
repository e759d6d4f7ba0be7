// Process: our `verify()`, bundled as the command is, in the world that the command makes for many domains.
import { createRequire } from 'node:module';
import { run } from './client.mjs';
import { ADDRESSES } from '../world.mjs';

const { createWorld, verify } = createRequire(import.meta.url)(process.argv[4]);
const world = createWorld({ servers: [ADDRESSES.recursive], remember: true });

await run(async (domain) => (await verify(domain, { allowPrivate: true }, world)).verdict === 'pass');
