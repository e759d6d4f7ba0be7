// Process: looks domains up with our resolver, fetch and grammar, and asks as little as mailauth: the record, one address and its file.
import { ADDRESSES } from '../domains.mjs';
import { loadVerifier, run } from './client.mjs';

const { createNetwork, parsePolicy, parseRecord } = loadVerifier();
const { resolver, fetchPolicy } = createNetwork({ servers: [ADDRESSES.recursive] });

await run(async (domain) => {
  const policyHost = `mta-sts.${domain}`;
  const record = await resolver.query(`_mta-sts.${domain}`, 'TXT');
  if (record.status !== 'found' || parseRecord(record.records).verdict !== 'valid') return false;
  const addresses = await resolver.query(policyHost, 'A');
  const address = addresses.status === 'found' ? addresses.records[0] : undefined;
  if (address === undefined) return false;
  const response = await fetchPolicy({ policyHost, address });
  return response.outcome === 'answered' && parsePolicy(response.body).verdict === 'valid';
});
