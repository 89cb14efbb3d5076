/*
 * The guide's page, completed. The token part keeps the guide's names and order: fetchAccessToken, initializeSync,
 * AccessManager, refreshToken, setNewToken. What the client is then used for is in shared-board.js.
 *
 * `$` and `Twilio` come from the official browser builds that index.html loads.
 */

import { createEntrance } from './entrance.js';
import { createLoginView } from './login-view.js';
import { followBoard } from './shared-board.js';
import { createStatusView } from './status-view.js';
import { createTokenFetch } from './token-fetch.js';

const status = createStatusView(document.body);

const entrance = createEntrance({
  getJSON: (request) => $.getJSON(request),
  view: createLoginView(document),
  onLogin: () => tryNow(),
});

const { fetchAccessToken, tryNow } = createTokenFetch({
  ask: async (timeout) => $.getJSON({ url: '/token', headers: await entrance.credentials(), timeout }),
  onTrouble: (trouble) => status.trouble('token', { ...trouble, again: tryNow }),
  onAnswer: () => status.clear('token'),
  onLoggedOut: (reason) => {
    status.clear('token');
    const offered = entrance.offerLogin(reason);
    if (offered) status.showLoggedOut();
    return offered;
  },
});

function initializeSync(tokenResponse) {
  const syncClient = new Twilio.Sync.Client(tokenResponse.token, { twilsock: { uri: tokenResponse.url } });
  const accessManager = new Twilio.AccessManager(tokenResponse.token);
  status.showIdentity(tokenResponse.identity);
  status.showToken(accessManager.expires);

  // The token expiry event fires on the access manager, not on the Sync client ...
  accessManager.on('tokenExpired', refreshToken);
  // ... but after a sleep, or with a clock that is behind, the service is the first to know.
  syncClient.on('tokenExpired', refreshToken);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && accessManager.expires <= new Date()) refreshToken();
  });

  function refreshToken() {
    fetchAccessToken(setNewToken);
  }

  // Give the access manager the new token.
  function setNewToken({ identity, token }) {
    // Somebody else has logged in here meanwhile. What this page shows and holds back belongs to the one before.
    if (identity !== tokenResponse.identity && !entrance.isRandom()) return location.reload();
    accessManager.updateToken(token).then(() => {
      status.showIdentity(identity);
      status.showToken(accessManager.expires);
      status.countRenewal();
      status.tell({ origin: 'link', text: 'Token renewed' });
      if (accessManager.isExpired) tellWrongClock();
      else status.clear('clock');
    }, tellUnusableToken);
  }

  // The access manager has a new token: the Sync client needs it too.
  accessManager.on('tokenUpdated', () => {
    // A refusal is told by the connection's own events.
    syncClient.updateToken(accessManager.token).catch(() => {});
  });

  followConnection(syncClient, tokenResponse.url, refreshToken);
  followBoard(syncClient, status);
}

function tellWrongClock() {
  status.trouble('clock', {
    title: 'The clock of this device is ahead',
    text: 'A new token looks expired here. It is renewed all the same, but seldom; set the clock to mend this.',
  });
}

function tellUnusableToken() {
  status.trouble('token', {
    title: 'No token',
    text: 'The token endpoint answered with something that is no token. The old token stays in use until it ends.',
  });
}

const patienceWithService = 3_000;

function followConnection(syncClient, url, refreshToken) {
  let unreachable;
  let wasConnected = false;

  function follow(state) {
    status.showConnection(state);
    clearTimeout(unreachable);
    if (state === 'connected') {
      if (!wasConnected) status.tell({ origin: 'link', text: 'Connected' });
      status.clear('connection');
    } else if (state !== 'denied') {
      if (wasConnected) status.tell({ origin: 'link', text: 'Connection lost' });
      unreachable = setTimeout(tellUnreachable, patienceWithService);
    }
    wasConnected = state === 'connected';
  }

  function tellUnreachable() {
    status.trouble('connection', {
      title: 'The service does not answer',
      text: `Nothing comes back from ${url}. It is tried again by itself. What you change now waits in this tab, so keep it open.`,
    });
  }

  syncClient.on('connectionStateChanged', follow);
  syncClient.on('connectionError', ({ terminal, message, errorCode }) => {
    // 20104 says that the token has run out; the next one is on its way.
    if (!terminal || errorCode === 20104) return;
    const reason = String(message).replace(/^Connection error: /, '');
    status.trouble('connection', {
      title: 'The service refuses this token',
      text: `It says: “${reason}” (${errorCode ?? 'no code'}). Another token is tried when this one ends, or now if you ask.`,
      again: refreshToken,
    });
  });
  follow(syncClient.connectionState);
}

fetchAccessToken(initializeSync);
