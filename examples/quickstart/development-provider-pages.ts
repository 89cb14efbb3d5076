/** What people see of the provider for development. */

import type { User } from './users.ts';

/** Forms may end on the page of the quickstart, wherever on this computer that is. */
export const pageHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' http://localhost:* http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export function accountPage(action: string, users: readonly User[]): string {
  const accounts = users.map(
    ({ id, name }) =>
      `<li><button type="submit" name="account" value="${escaped(id)}"><b>${escaped(name)}</b><span>${escaped(id)}</span></button></li>`,
  );
  return page(
    'Who are you?',
    `<p>The quickstart asks this provider who you are. Choose an account; there are no passwords.</p>
    <form method="post" action="${escaped(action)}"><ul class="accounts">${accounts.join('')}</ul></form>`,
  );
}

/** `form` is the library's, without buttons. */
export function logoutPage(form: string): string {
  return page(
    'Log out?',
    `<p>The quickstart asks this provider to forget you.</p>
    ${form}
    <p class="choice"><button class="chief" type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Log out</button>
    <button type="submit" form="op.logoutForm">Stay logged in</button></p>`,
  );
}

export function errorPage(error: string, description: string | undefined): string {
  return page('That did not work', `<p>${escaped(description ?? error)} (${escaped(error)})</p>`);
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${title} · Provider for development</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/style.css" />
  </head>
  <body class="provider">
    <main>
      <section class="panel door">
        <p class="site">Provider for development</p>
        <h1>${title}</h1>
        ${content}
      </section>
      <p class="fine">It runs on this computer only, forgets everything when it ends, and does not start in production.</p>
    </main>
  </body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
