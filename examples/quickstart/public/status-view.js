/* What the page tells about itself: connection, token, troubles, and what happened. `body`'s data-* repeat it for tests. */

import { makersMark } from './carving.js';
import { shortName } from './board-view.js';
import { element } from './element.js';

const eventsShown = 40;

const clock = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

const connectionWords = {
  starting: 'Asking for a token',
  loggedOut: 'Not logged in',
  connecting: 'Connecting',
  connected: 'Connected',
  disconnecting: 'Disconnecting',
  disconnected: 'Disconnected',
  denied: 'Refused',
};

export function createStatusView(body) {
  const part = (id) => body.querySelector(`#${id}`);
  const troubles = new Map();
  let token = null;
  let renewals = 0;

  function showConnection(state) {
    // The SDK says "retrying" for an instant between two attempts.
    const known = state in connectionWords ? state : 'connecting';
    body.dataset.connection = known;
    part('connection').textContent = connectionWords[known];
  }

  /** A board that is open already stays so until its token ends. */
  function showLoggedOut() {
    if (body.dataset.connection === 'starting') showConnection('loggedOut');
  }

  function showIdentity(identity) {
    if (body.dataset.identity === identity) return;
    body.dataset.identity = identity;
    part('identity').replaceChildren(
      makersMark(identity),
      element('span', { textContent: shortName(identity), title: identity }),
    );
  }

  /** `expires`: when the token in hand ends, by this device's clock. Its whole life is counted from now. */
  function showToken(expires) {
    token = { from: Date.now(), to: expires.getTime() };
    tick();
  }

  function countRenewal() {
    renewals += 1;
    body.dataset.renewals = String(renewals);
    part('renewals').textContent = renewals === 1 ? 'renewed once' : `renewed ${renewals} times`;
  }

  /** Shows or replaces the trouble of that key. `again` gets a button; `retryAt` counts down beside it. */
  function trouble(key, { title, text, again, retryAt }) {
    const known = troubles.get(key);
    const same =
      known !== undefined &&
      known.title === title &&
      known.text === text &&
      (known.again === undefined) === (again === undefined);
    troubles.set(key, { ...(same ? known : createTrouble(key, title, text, again)), title, text, again, retryAt });
    // An unchanged trouble keeps its element, so that it is not read out again at every attempt.
    if (!same) {
      known?.element.remove();
      part('troubles').append(troubles.get(key).element);
    }
    body.dataset.troubles = [...troubles.keys()].join(' ');
    tick();
  }

  function createTrouble(key, title, text, again) {
    const countdown = element('span', { className: 'countdown', attributes: { 'aria-hidden': 'true' } });
    const made = element(
      'section',
      { className: 'trouble', data: { trouble: key } },
      element('h2', { textContent: title }),
      element('p', { textContent: text }),
      countdown,
    );
    const press = () => troubles.get(key)?.again?.();
    if (again !== undefined)
      made.append(element('button', { type: 'button', className: 'again', textContent: 'Try now', onclick: press }));
    const close = element('button', {
      type: 'button',
      className: 'remove',
      textContent: '×',
      onclick: () => clear(key),
    });
    close.setAttribute('aria-label', `Dismiss: ${title}`);
    made.append(close);
    return { element: made, countdown };
  }

  function clear(key) {
    troubles.get(key)?.element.remove();
    if (troubles.delete(key)) body.dataset.troubles = [...troubles.keys()].join(' ');
  }

  function tick() {
    for (const { countdown, retryAt } of troubles.values()) {
      const left = Math.ceil(((retryAt ?? 0) - Date.now()) / 1000);
      countdown.textContent = left > 0 ? `Next try in ${left} s` : '';
    }
    if (token === null) return;
    const left = Math.max(0, token.to - Date.now());
    const share = token.to > token.from ? left / (token.to - token.from) : 0;
    part('life').style.setProperty('--left', share.toFixed(4));
    part('life-meter').value = share;
    part('life-text').textContent = left > 0 ? `${lengthOf(left)} left` : 'run out';
    body.dataset.token = left > 0 ? 'valid' : 'expired';
  }

  /** `origin`: `local`, `remote` or `link`; `at`: milliseconds. Answers the row, which a later call may tell anew. */
  function tell({ origin, who, text, at = Date.now() }, told) {
    const time = new Date(at);
    const row = element(
      'li',
      { data: { origin } },
      who === undefined ? element('span', { className: 'mark dot' }) : makersMark(who.identity),
      element('p', {}, who === undefined ? '' : element('b', { textContent: `${who.name} ` }), text),
      element('time', { dateTime: time.toISOString(), textContent: clock.format(time) }),
    );
    if (told === undefined) part('events').prepend(row);
    else told.replaceWith(row);
    while (part('events').children.length > eventsShown) part('events').lastElementChild.remove();
    if (origin === 'remote') part('announcer').textContent = `${who.name} ${text}`;
    return row;
  }

  function showWaiting(count) {
    body.dataset.pending = String(count);
    part('waiting').textContent = count === 0 ? '' : `${count} ${count === 1 ? 'change' : 'changes'} on the way`;
  }

  setInterval(tick, 1_000);
  return { showConnection, showLoggedOut, showIdentity, showToken, countRenewal, trouble, clear, tell, showWaiting };
}

function lengthOf(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
