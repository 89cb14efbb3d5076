/*
 * Login at an OpenID Connect provider: authorization code with PKCE. The tokens stay in the memory of the page, where no
 * other page finds them; after a reload, and in another tab, the provider is asked without a word to the user (`prompt=none`)
 * and remembers who is logged in there. Only what a login under way needs waits in sessionStorage.
 */

const underWay = 'login under way';
/** An access token with less left than this is renewed first, in milliseconds. */
const spare = 5_000;
/** The provider's word for "not without asking the user", which is no failure. */
const mustAsk = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'];

/** `oauth`: the library oauth4webapi. */
export function createOidcLogin({ oauth, issuer, clientId, audience, view, tellTabs }) {
  const client = { client_id: clientId };
  const here = new URL('/', location.href).href;
  const request = {
    [oauth.allowInsecureRequests]: issuer.startsWith('http:'),
    additionalParameters: { resource: audience },
  };
  let provider;
  let arrived = false;
  let tokens;
  let problem = '';

  async function discover() {
    const address = new URL(issuer);
    provider ??= await oauth.processDiscoveryResponse(address, await oauth.discoveryRequest(address, request));
  }

  /** Leaves the page. `prompt`: `none` for "only if you know already", undefined for a login that the user asked for. */
  async function leave(prompt) {
    await discover();
    const login = {
      verifier: oauth.generateRandomCodeVerifier(),
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
    };
    sessionStorage.setItem(underWay, JSON.stringify(login));
    const { verifier, ...known } = login;
    const url = addressOf(provider.authorization_endpoint, {
      ...known,
      response_type: 'code',
      client_id: clientId,
      redirect_uri: here,
      scope: 'openid',
      resource: audience,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      prompt,
    });
    if (prompt === undefined) location.assign(url);
    else location.replace(url);
    // Whoever waits for this goes with the page.
    return new Promise(() => {});
  }

  /** What the address says of where the user comes from, once. */
  async function arrive() {
    const parameters = new URL(location.href).searchParams;
    if (!parameters.has('state')) return leave('none');
    await discover();
    history.replaceState(null, '', here);
    arrived = true;
    if (parameters.get('state') === 'logged-out') return tellTabs();
    const { verifier, state, nonce } = JSON.parse(sessionStorage.getItem(underWay) ?? '{}');
    sessionStorage.removeItem(underWay);
    try {
      const code = oauth.validateAuthResponse(provider, client, parameters, state);
      const sent = [provider, client, oauth.None(), code, here, verifier, request];
      const reply = await oauth.authorizationCodeGrantRequest(...sent);
      keep(await oauth.processAuthorizationCodeResponse(provider, client, reply, { expectedNonce: nonce }));
    } catch (error) {
      // Not tried again by itself: a provider that always refuses would send the page back and forth for ever.
      problem = mustAsk.includes(error.error) ? '' : `The login failed: ${error.error_description ?? error.message}.`;
    }
  }

  /** Without an answer the tokens stay, so that it can be tried again. */
  async function renew() {
    const { refresh_token: refreshToken, id_token: idToken } = tokens;
    if (refreshToken === undefined) return drop('');
    const reply = await oauth.refreshTokenGrantRequest(provider, client, oauth.None(), refreshToken, request);
    try {
      const renewed = await oauth.processRefreshTokenResponse(provider, client, reply);
      keep({ refresh_token: refreshToken, id_token: idToken, ...renewed });
    } catch (error) {
      if (!(error instanceof oauth.ResponseBodyError)) throw error;
      drop(`The login has ended: ${error.error_description ?? error.error}.`);
    }
  }

  function drop(reason) {
    tokens = undefined;
    problem = reason;
  }

  function keep(reply) {
    tokens = { ...reply, endsAt: Date.now() + (reply.expires_in ?? 0) * 1_000 };
  }

  return {
    async credentials() {
      if (!arrived) await arrive();
      if (tokens !== undefined && tokens.endsAt - Date.now() < spare) await renew();
      return tokens === undefined ? {} : { Authorization: `Bearer ${tokens.access_token}` };
    },
    offer(reason) {
      // Without a token in hand the backend only says what everybody sees.
      if (tokens !== undefined) drop(reason);
      view.sendToProvider(new URL(issuer).host, () =>
        leave().catch(() => view.refuse('The provider cannot be reached.')),
      );
      if (problem !== '') view.refuse(problem);
    },
    async logOut() {
      const back = { state: 'logged-out' };
      const asked = { ...back, client_id: clientId, id_token_hint: tokens?.id_token, post_logout_redirect_uri: here };
      const { end_session_endpoint: end } = provider;
      location.assign(end === undefined ? addressOf(here, back) : addressOf(end, asked));
    },
  };
}

function addressOf(base, parameters) {
  const url = new URL(base);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}
