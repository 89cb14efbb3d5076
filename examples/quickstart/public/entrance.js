/*
 * How this page is let in. The backend says which way of deciding identity is in force; where that asks for a login, the
 * page shows one and adds to its requests for tokens what proves it.
 */

import { createSessionLogin } from './session-login.js';

/** The library oauth4webapi, as the backend serves it from its node_modules; for the one way that needs it. */
const oauthLibrary = '/vendor/oauth4webapi.js';

/** The other tabs of this browser are told when somebody logs out in one: they must not stay open as that user. */
const tabs = new BroadcastChannel('login');

/** `getJSON(request)` as jQuery's; `onLogin()` is called when a token can be had. */
export function createEntrance({ getJSON, view, onLogin }) {
  let known;
  let login;

  async function open() {
    if (known !== undefined) return;
    const answer = await getJSON({ url: '/way', timeout: 10_000 });
    login = await loginOf(answer);
    known = answer;
    view.showWay(known.way, login?.logOut);
  }

  async function loginOf(way) {
    const own = { view, onLogin, tellTabs: () => tabs.postMessage('logged out') };
    if (way.way === 'login') return createSessionLogin(own);
    if (way.way !== 'oidc') return undefined;
    const [oauth, { createOidcLogin }] = await Promise.all([import(oauthLibrary), import('./oidc-login.js')]);
    return createOidcLogin({ oauth, ...own, ...way });
  }

  tabs.addEventListener('message', () => location.reload());

  return {
    /** Headers that go with a request for a token. Rejects while it cannot be known what they are. */
    async credentials() {
      await open();
      return (await login?.credentials()) ?? {};
    },
    /** The answer was 401, for this reason. Says whether a login is being offered. */
    offerLogin(reason) {
      if (login === undefined) return false;
      login.offer(reason);
      return true;
    },
    /** Whether each token is for somebody else: then another identity is no surprise. */
    isRandom: () => known?.way === 'random',
  };
}
