/* The door of the page: which way of deciding identity is in force, and the login where there is one. */

import { element } from './element.js';

const ways = {
  anonymous: 'a cookie of this browser',
  login: 'a login',
  oidc: 'OpenID Connect',
  random: 'a new name for every token',
};

export function createLoginView(root) {
  const part = (id) => root.querySelector(`#${id}`);

  const refusal = element('p', { className: 'refusal', attributes: { role: 'alert' } });

  function show(...content) {
    part('door-content').replaceChildren(...content);
    refuse('');
    part('door').hidden = false;
    part('door').querySelector('input, button').focus();
  }

  function refuse(reason) {
    refusal.textContent = reason;
  }

  return {
    /** `logOut` is undefined where nobody logs in. */
    showWay(way, logOut) {
      root.body.dataset.way = way;
      part('way').textContent = ways[way];
      const others = Object.keys(ways).filter((other) => other !== way);
      part('other-ways').replaceChildren(
        'Other ways: ',
        element('code', { textContent: `IDENTITY=${others.join('|')}` }),
      );
      part('log-out').hidden = logOut === undefined;
      part('log-out').onclick = logOut;
    },

    /** `logIn(name, password)` is called for each attempt; it refuses or hides the door. */
    askForPassword(logIn) {
      const name = field('User name', {
        id: 'user-name',
        autocomplete: 'username',
        autocapitalize: 'none',
        spellcheck: false,
      });
      const password = field('Password', { id: 'password', type: 'password', autocomplete: 'current-password' });
      const submit = element('button', { className: 'chief', textContent: 'Log in' });
      const form = element('form', { id: 'login' }, ...name, ...password, refusal, submit);
      form.addEventListener('submit', async (event) => {
        event.preventDefault();
        refuse('');
        submit.disabled = true;
        await logIn(name[1].value, password[1].value);
        submit.disabled = false;
        password[1].value = '';
        if (!part('door').hidden) password[1].focus();
      });
      show(
        form,
        element('p', { className: 'fine', textContent: 'For development: ann / hazel, bob / birch, cleo / alder.' }),
      );
    },

    /** `leave()` goes to the provider's own page. */
    sendToProvider(host, leave) {
      const text = `You log in at ${host}, and come back here.`;
      const go = element('button', { type: 'button', className: 'chief', textContent: 'Log in', onclick: leave });
      show(element('p', { textContent: text }), refusal, go);
    },

    refuse,

    hide() {
      part('door').hidden = true;
    },
  };
}

function field(text, properties) {
  const input = element('input', { required: true, maxLength: 100, ...properties });
  return [element('label', { textContent: text, htmlFor: properties.id }), input];
}
