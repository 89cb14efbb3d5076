/**
 * The JSON that travels, the same for every server in a comparison: an event of about 300 bytes and a document of about
 * 850. Each begins with a mark of fixed width, by which a reader knows what it got without parsing.
 */

const topicDigits = 2;
const numberDigits = 10;
const opening = '"mark":"';

/** What a text is about: the n-th one of a topic (or of a writer), both from 0. */
export interface Mark {
  readonly topic: number;
  readonly n: number;
}

export const markPattern: Buffer = Buffer.from(opening);

const event = { board: 'planning', card: 'c-17', by: 'alice', column: 'doing', note: 'x'.repeat(203) };

const document = {
  title: 'Release planning',
  columns: ['ideas', 'next', 'doing', 'done'],
  cards: Array.from({ length: 7 }, (_, index) => ({
    id: `card-${index}`,
    title: `Write the chapter on topic ${index}`,
    column: index % 4,
    votes: index * 3,
    assignee: `person-${index}`,
    done: index % 2 === 0,
  })),
};

const eventRest = rest(event);
const documentRest = rest(document);

export function eventText(mark: Mark): string {
  return `{${opening}${digits(mark)}"${eventRest}`;
}

export function documentText(mark: Mark): string {
  return `{${opening}${digits(mark)}"${documentRest}`;
}

/** Reads the digits of a mark whose pattern starts at `at`. */
export function readMark(bytes: Uint8Array, at: number): Mark {
  const topicAt = at + opening.length;
  const numberAt = topicAt + topicDigits + 1;
  return { topic: readNumber(bytes, topicAt, topicDigits), n: readNumber(bytes, numberAt, numberDigits) };
}

function digits({ topic, n }: Mark): string {
  return `${String(topic).padStart(topicDigits, '0')}-${String(n).padStart(numberDigits, '0')}`;
}

function readNumber(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = at; index < at + width; index++) value = value * 10 + (bytes[index] ?? 0) - 0x30;
  return value;
}

/** The members after the mark, with the comma before and the brace behind them. */
function rest(members: object): string {
  return `,${JSON.stringify(members).slice(1)}`;
}
