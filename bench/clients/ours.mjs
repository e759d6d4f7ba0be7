// Process: our `verify()`, bundled as the command is. It asks every name server and the resolver, and checks much more than a policy.
import { createRequire } from 'node:module';
import { run } from './client.mjs';
import { ADDRESSES } from '../world.mjs';

const { createResolver, verify } = createRequire(import.meta.url)(process.argv[4]);
const resolver = createResolver({ servers: [ADDRESSES.recursive] });

await run(async (domain) => (await verify(domain, {}, { resolver })).verdict === 'pass');
