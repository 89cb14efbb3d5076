/* The login of the backend's own: user name and password once, then a cookie that scripts cannot read. */

export function createSessionLogin({ view, onLogin, tellTabs }) {
  async function logIn(name, password) {
    const response = await post('/login', { name, password });
    if (response.ok) {
      view.hide();
      onLogin();
      return;
    }
    const { message } = await response.json();
    const wait = Number(response.headers.get('Retry-After')) || 0;
    view.refuse(wait === 0 ? message : `${message} Wait ${wait} s.`);
  }

  return {
    // The browser sends the cookie by itself.
    credentials: async () => ({}),
    offer: () => view.askForPassword((name, password) => logIn(name, password).catch(tellUnreachable)),
    async logOut() {
      await post('/logout', {});
      tellTabs();
      // Nothing of the user who was here may stay in the page.
      location.reload();
    },
  };

  function tellUnreachable() {
    view.refuse('The server cannot be reached.');
  }
}

function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
}
