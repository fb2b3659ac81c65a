// The same over PostgreSQL: one durable update of the call's row by node-postgres' pool. Prints its port.
const express = require('express')
const { Pool } = require('pg')
const twilio = require('twilio')

const [database, rows, token, url] = process.argv.slice(2)
const db = new Pool({ connectionString: database, max: 20 })
const update = { name: 'update', text: 'UPDATE peer_calls SET status = $1, duration = $2, updated_at = now() WHERE call_sid = $3' }

async function start() {
  await db.query('CREATE TABLE IF NOT EXISTS peer_calls (id INT PRIMARY KEY, call_sid TEXT UNIQUE, status TEXT, duration INT, updated_at TIMESTAMPTZ)')
  await db.query("INSERT INTO peer_calls SELECT i, 'CA' || lpad(i::text, 32, '0'), 'queued', 0, now() FROM generate_series(1, $1::int) AS i ON CONFLICT DO NOTHING", [Number(rows)])
  await db.query('VACUUM ANALYZE peer_calls')
  const app = express()
  app.use(express.urlencoded({ extended: false }))
  app.post(new URL(url).pathname, async (req, res) => {
    if (!twilio.validateRequest(token, req.get('x-twilio-signature') || '', url, req.body)) return res.status(403).end()
    await db.query({ ...update, values: [req.body.CallStatus, Number(req.body.CallDuration || 0), req.body.CallSid] })
    res.status(204).end()
  })
  const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
}
start()
