// A usual Node server for Twilio's status callbacks: express, twilio's own signature check, and one
// durable update of the call's row. Prints its port. Arguments: database, rows, auth token, public URL.
const Database = require('better-sqlite3')
const express = require('express')
const twilio = require('twilio')

const [file, rows, token, url] = process.argv.slice(2)
const db = new Database(file)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = OFF')
db.exec('CREATE TABLE calls (id INTEGER PRIMARY KEY, call_sid TEXT UNIQUE, status TEXT, duration INTEGER, updated_at TEXT)')
db.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
  INSERT INTO calls SELECT i, printf('CA%032d', i), 'queued', 0, '' FROM n`).run(Number(rows))
db.pragma('synchronous = FULL')
const update = db.prepare('UPDATE calls SET status = ?, duration = ?, updated_at = ? WHERE call_sid = ?')

const app = express()
app.use(express.urlencoded({ extended: false }))
app.post(new URL(url).pathname, (req, res) => {
  if (!twilio.validateRequest(token, req.get('x-twilio-signature') || '', url, req.body)) return res.status(403).end()
  update.run(req.body.CallStatus, Number(req.body.CallDuration || 0), new Date().toISOString(), req.body.CallSid)
  res.status(204).end()
})
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
