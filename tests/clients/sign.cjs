// What the services' own npm packages sign: one JSON request on standard input, the answer on standard output.
'use strict';
const { createHash } = require('node:crypto');
const { pathToFileURL } = require('node:url');

const makers = {
  /** X-Twilio-Signature of a form, by Twilio's helper. */
  twilio({ token, url, form }) {
    return require('twilio').getExpectedTwilioSignature(token, url, form);
  },
  /** Authorization of a LiveKit webhook, by LiveKit's server SDK: the body's digest in a token. */
  async livekit({ key, secret, body }) {
    const { AccessToken } = require('livekit-server-sdk');
    const token = new AccessToken(key, secret);
    token.sha256 = createHash('sha256').update(body).digest('base64');
    return token.toJwt();
  },
  /** A token of an identity provider, by jose. */
  async token({ alg, kid, key, claims }) {
    // A module of the newer kind only, which older Nodes load by its file alone.
    const jose = await import(pathToFileURL(require.resolve('jose')));
    const signing = alg === 'HS256' ? new TextEncoder().encode(key) : await jose.importPKCS8(key, alg);
    return new jose.SignJWT(claims).setProtectedHeader({ alg, ...(kid ? { kid } : {}) }).sign(signing);
  },
};

let text = '';
process.stdin.on('data', (chunk) => (text += chunk)).on('end', async () => {
  const { what, ...request } = JSON.parse(text);
  process.stdout.write(String(await makers[what](request)));
});
