/**
 * Reads a trace of system calls (`strace -f -y` of write, pwrite64, fsync and fdatasync) and judges whether each
 * acknowledgement came after its commit was synced. Pure.
 */

/** Stands in the data of the `n`th commit, so that its bytes are recognised on their way to the log. */
export function markerOf(n: number): string {
  return `commit-${n}-marker`;
}

interface Call {
  readonly name: string;
  /** Path or kind of what is written to. */
  readonly target: string;
  readonly text: string;
}

type Moment = { readonly at: 'start' | 'end'; readonly thread: string; readonly call: Call };

const callForm = /^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$/;
const resumedForm = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/;
const succeeded = /\) += \d+$/;

/** The acknowledgements, by number, that came before their commit was safe. Throws when the trace has none at all. */
export function ackBeforeSync(trace: string): readonly number[] {
  const unsafe: number[] = [];
  let acks = 0;
  /** All that went to the log so far. */
  let written = '';
  /** Whether the log holds bytes that no sync which started after them has finished. */
  let isDirty = false;
  /** Syncs under way, with whether something was written since they began. */
  const syncs = new Map<string, { overtaken: boolean }>();
  for (const { at, thread, call } of momentsOf(trace)) {
    const ack = at === 'start' && call.name === 'write' ? /^, "ack (\d+)\\n"/.exec(call.text)?.[1] : undefined;
    if (ack !== undefined) {
      acks++;
      if (isDirty || !written.includes(markerOf(Number(ack)))) unsafe.push(Number(ack));
    }
    if (!call.target.endsWith('-wal')) continue;
    if (call.name === 'write' || call.name === 'pwrite64') {
      // From its start on, and at its end once more: a sync in between may not have seen all of it.
      written += at === 'start' ? call.text : '';
      isDirty = true;
      for (const sync of syncs.values()) sync.overtaken = true;
    } else if (at === 'start') {
      syncs.set(thread, { overtaken: false });
    } else {
      if (syncs.get(thread)?.overtaken === false && succeeded.test(call.text)) isDirty = false;
      syncs.delete(thread);
    }
  }
  if (acks === 0) throw new Error('no acknowledgement in this trace');
  return unsafe;
}

function* momentsOf(trace: string): Iterable<Moment> {
  const underWay = new Map<string, Call>();
  for (const line of trace.split('\n')) {
    const [, thread = '', name = '', target = '', text = ''] = callForm.exec(line) ?? [];
    if (name !== '') {
      const call = { name, target, text };
      yield { at: 'start', thread, call };
      if (text.endsWith('<unfinished ...>')) underWay.set(thread, call);
      else yield { at: 'end', thread, call };
      continue;
    }
    const [, resumed = '', , rest = ''] = resumedForm.exec(line) ?? [];
    const call = underWay.get(resumed);
    if (call === undefined) continue;
    underWay.delete(resumed);
    yield { at: 'end', thread: resumed, call: { ...call, text: rest } };
  }
}
