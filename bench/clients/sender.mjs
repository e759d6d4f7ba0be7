// Process: our resolver, fetch and grammar, asked for as little as mailauth asks: the record, one address, the file of it.
import { createRequire } from 'node:module';
import { run } from './client.mjs';
import { ADDRESSES } from '../world.mjs';

const { createWorld, parsePolicy, parseRecord } = createRequire(import.meta.url)(process.argv[4]);
const { resolver, fetchPolicy } = createWorld({ servers: [ADDRESSES.recursive] });

await run(async (domain) => {
  const policyHost = `mta-sts.${domain}`;
  const { records = [] } = await resolver.query(`_mta-sts.${domain}`, 'TXT');
  if (parseRecord(records).verdict !== 'valid') return false;
  const addresses = await resolver.query(policyHost, 'A');
  const { body } = await fetchPolicy({ policyHost, address: addresses.records[0] });
  return parsePolicy(body).verdict === 'valid';
});
