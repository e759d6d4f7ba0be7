// Process: verifies domains with our `verify()`, bundled like the command and with the network that the command uses for many domains.
import { ADDRESSES } from '../domains.mjs';
import { loadVerifier, run } from './client.mjs';

const { createNetwork, verify } = loadVerifier();
const network = createNetwork({ servers: [ADDRESSES.recursive], remember: true });

await run(async (domain) => (await verify(domain, { allowPrivate: true }, network)).verdict === 'pass');
