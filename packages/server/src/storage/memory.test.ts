import { markerLimits } from '../../test/commands.ts';
import { testStorageContract } from '../../test/storage-contract.ts';
import { openMemory } from './memory.ts';

testStorageContract(
  'memory',
  () => ({ open: (now) => Promise.resolve(openMemory({ epoch: 'e', now, markers: markerLimits })) }),
  {
    durable: false,
  },
);
