/* Asks the own server for Access Tokens: one request at a time, with pauses that grow while it fails or is asked too often. */

const firstPause = 1_000;
const longestPause = 60_000;
/** Asking again this soon after an answer is hasty: the token was good for nothing, or the clock of this device is wrong. */
const hastyWithin = 5_000;
const patience = 10_000;

/**
 * Answers `fetchAccessToken(handler)` and `tryNow()`. `ask(timeout)` sends the request and answers as jQuery does.
 * `onTrouble({ title, text, retryAt? })` is told of each failure, `onAnswer()` of each success; `onLoggedOut(reason)` of a 401,
 * and says whether it offers a login, after which `tryNow()` is to be called.
 */
export function createTokenFetch({ ask: send, onTrouble, onAnswer, onLoggedOut }) {
  let handlers = [];
  let asking = false;
  let failures = 0;
  let hasty = 0;
  let answeredAt = -Infinity;
  let pause;
  let refused = false;

  /** Whoever asks while a request is under way, or while the next one is waiting, gets its answer too. */
  function fetchAccessToken(handler) {
    if (!handlers.includes(handler)) handlers.push(handler);
    if (asking || pause !== undefined || refused) return;
    hasty = Date.now() - answeredAt < hastyWithin ? hasty + 1 : 0;
    if (hasty === 0) ask();
    else askAfter(pauseAfter(hasty));
  }

  function askAfter(milliseconds) {
    pause = setTimeout(ask, milliseconds);
  }

  function tryNow() {
    if (!asking && handlers.length > 0) ask();
  }

  function ask() {
    clearTimeout(pause);
    pause = undefined;
    refused = false;
    asking = true;
    send(patience).then(answered, failed);
  }

  function answered(tokenResponse) {
    if (typeof tokenResponse?.token !== 'string' || typeof tokenResponse.url !== 'string')
      return failed({ status: 200 });
    asking = false;
    failures = 0;
    answeredAt = Date.now();
    onAnswer(tokenResponse);
    const asked = handlers;
    handlers = [];
    for (const handler of asked) handler(tokenResponse);
  }

  function failed(reply) {
    asking = false;
    failures += 1;
    refused = reply.status === 401 || reply.status === 403;
    if (reply.status === 401 && onLoggedOut(reasonOf(reply))) return;
    if (refused) {
      return onTrouble({
        title: 'No token for you',
        text: `${reasonOf(reply)} Nothing more is asked until you try again.`,
      });
    }
    const retryAfter = Number(reply.getResponseHeader?.('Retry-After')) * 1_000 || 0;
    const wait = Math.max(retryAfter, pauseAfter(failures));
    askAfter(wait);
    onTrouble({
      title: 'No token',
      text: `${reasonOf(reply)} It is asked again by itself; the board stays as it is until then.`,
      retryAt: Date.now() + wait,
    });
  }

  return { fetchAccessToken, tryNow };
}

/** Up to a fifth more or less, so that pages cut off together do not come back together. */
function pauseAfter(times) {
  return Math.min(longestPause, firstPause * 2 ** (times - 1)) * (0.8 + Math.random() * 0.4);
}

function reasonOf(reply) {
  if (reply instanceof Error) return `The login provider cannot be asked: ${reply.message}.`;
  const { status, statusText, responseJSON } = reply;
  if (typeof responseJSON?.message === 'string') return responseJSON.message.replace(/[^.!?]$/, '$&.');
  if (status === 200) return 'The token endpoint answered with something that is no token.';
  if (statusText === 'timeout') return 'The token endpoint did not answer in time.';
  return status === 0 ? 'The token endpoint cannot be reached.' : `The token endpoint answered ${status}.`;
}
