//! Calls read and written as a set. Of those that have moved only what has changed is written: an index is
//! rewritten with each column of it that a statement names, whether its value stays or not.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{CallRow, StoreError, Tx, pool::on_tx, rows::stamp};
use crate::domain::{call::State, id::CallId};

/// A call as it was read in this transaction, and as it is from now on.
#[derive(Debug, Clone, Copy)]
pub struct CallUpdate<'a> {
    pub was: &'a CallRow,
    pub row: &'a CallRow,
}

/// Which columns a statement writes: bits in the order of [`COLUMNS`].
type Columns = u32;

/// The columns that move: each once, with how its value stands in the JSON of the statement.
macro_rules! moving_columns {
    (|$r:ident| $($column:ident = $value:expr),+ $(,)?) => {
        const COLUMNS: &[&str] = &[$(stringify!($column)),+];

        fn changed(was: &CallRow, is: &CallRow) -> Columns {
            let unlike = [$(was.$column != is.$column),+];
            unlike.iter().rev().fold(0, |bits, unlike| bits << 1 | Columns::from(*unlike))
        }

        fn values($r: &CallRow, columns: Columns) -> Vec<Value> {
            let mut values = vec![Value::from($r.id.hex())];
            let mut left = columns;
            $(
                if left & 1 == 1 {
                    values.push(Value::from($value));
                }
                left >>= 1;
            )+
            debug_assert_eq!(left, 0, "a column that does not move");
            values
        }
    };
}

moving_columns!(
    |r| state = r.state.as_str(),
    reply_pending = i64::from(r.reply_pending),
    participant_sid = r.participant_sid.as_deref(),
    sip_call_id = r.sip_call_id.as_deref(),
    call_sid = r.call_sid.as_deref(),
    leg_seen = i64::from(r.leg_seen),
    ringing_seen = i64::from(r.ringing_seen),
    rejoined = i64::from(r.rejoined),
    left_at = stamp(r.left_at),
    left_reason = json_text(r.left_reason.as_ref().map(|l| l.0)),
    left_status = json_text(r.left_status.as_ref().map(|l| l.0)),
    ringing_at = stamp(r.ringing_at),
    answered_at = stamp(r.answered_at),
    completed_at = stamp(r.completed_at),
    call_duration = r.call_duration,
    basis = word(r.basis),
    sip_code = r.sip_code,
    reason = r.reason.as_str(),
    charged = i64::from(r.charged),
    outcome = word(r.outcome),
    outcome_who = word(r.outcome_who),
    outcome_by = r.outcome_by.as_deref(),
    outcome_at = stamp(r.outcome_at),
    suggestion = word(r.suggestion),
    suggestion_confidence = r.suggestion_confidence,
    notes = r.notes.as_str(),
    lease_until = stamp(r.lease_until),
    doubt = word(r.doubt),
);

/// A value as its column keeps it: JSON text.
fn json_text(value: Option<impl serde::Serialize>) -> Option<String> {
    value.and_then(|v| serde_json::to_string(&v).ok())
}

/// An enumeration's word.
fn word(value: Option<impl serde::Serialize>) -> Value {
    value.and_then(|v| serde_json::to_value(v).ok()).unwrap_or_default()
}

/// `rank` in the row: what the partial indexes ask of a state, and no more. While a call is open it stays, and
/// with it every entry of the row in them.
fn place(state: State) -> i64 {
    match state {
        State::Pending => 0,
        State::Claimed => 5,
        _ if state.is_open() => 10,
        _ => 90,
    }
}

/// One statement for the rows that keep their place in the indexes, one for those that leave it.
#[derive(Default)]
struct Written<'a> {
    calls: Vec<CallUpdate<'a>>,
    columns: Columns,
}

impl<'a> Written<'a> {
    fn add(&mut self, call: CallUpdate<'a>, columns: Columns) {
        self.calls.push(call);
        self.columns |= columns;
    }

    /// The statement, its rows as parameter `at`; the last value of each is the state that the row must still have.
    fn sql(&self, at: usize, moves: bool) -> String {
        let names = COLUMNS.iter().enumerate().filter(|(bit, _)| self.columns >> bit & 1 == 1).map(|(_, name)| *name);
        let names: Vec<&str> = names.chain(moves.then_some("rank")).collect();
        let was = names.len() + 1;
        let set: Vec<String> = names.iter().zip(1..).map(|(name, i)| format!("{name} = v ->> {i}")).chain(["updated_at = $1".to_owned()]).collect();
        let rows = format!("(SELECT value AS v FROM jsonb_each(${at})) AS j");
        format!("UPDATE campaign_calls SET {} FROM {rows} WHERE id = unhex(v ->> 0) AND state = v ->> {was}", set.join(", "))
    }

    fn json(&self, moves: bool) -> String {
        let of = |call: &CallUpdate<'_>| {
            let mut values = values(call.row, self.columns);
            values.extend(moves.then(|| Value::from(place(call.row.state))));
            values.push(Value::from(call.was.state.as_str()));
            Value::from(values)
        };
        self.calls.iter().map(of).collect::<Value>().to_string()
    }
}

/// Calls as one JSON text, in the order of the fields of [`CallRow`]: each row that comes back by itself costs a
/// change of threads and a copy of each of its values. Without their scripts, which are long and move nothing.
const AS_ONE: &str = "json_group_array(json_array(hex(id), hex(user_id), hex(campaign_id), nullif(hex(contact_id), ''), phone_number, contact_name,
    contact_email, country, zones, position, attempt, state, dialable_at, priority, lease_until, nullif(hex(incarnation), ''), claim_number, armed_at,
    deadline_at, armed_day, reply_pending, room_name, nullif(hex(trunk_id), ''), caller_id, NULL, ring_timeout_s, max_call_duration_s, participant_sid,
    sip_call_id, call_sid, leg_seen, ringing_seen, rejoined, left_at, json(left_reason), json(left_status), doubt, started_at, ringing_at, answered_at,
    completed_at, call_duration, basis, sip_code, reason, charged, outcome, outcome_who, outcome_by, outcome_at, suggestion, suggestion_confidence,
    notes, hangup_requested_at, recording_url, created_at, updated_at))";

impl Tx {
    /// Calls with these ids or these Twilio call sids, without their scripts; and of these keys of events, those that
    /// have come before.
    pub async fn calls_named(&mut self, ids: &[CallId], sids: &[&str], keys: &[&str]) -> Result<(Vec<CallRow>, Vec<String>), StoreError> {
        let ids: Vec<String> = ids.iter().map(|i| i.hex()).collect();
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT (SELECT {AS_ONE} FROM calls WHERE id IN (SELECT unhex(value) FROM json_each($1) UNION
                     SELECT id FROM campaign_calls WHERE call_sid IN (SELECT value FROM json_each($2)) AND call_sid IS NOT NULL)),
                 (SELECT json_group_array(key) FROM call_events WHERE key IN (SELECT value FROM json_each($3)))"
        ));
        let [ids, sids, keys] = [json!(ids), json!(sids), json!(keys)].map(|list| list.to_string());
        let (calls, known): (String, String) = on_tx!(self, |db| sqlx::query_as(sql).bind(ids).bind(sids).bind(keys).fetch_one(&mut *db).await?);
        let damaged = |e: serde_json::Error| StoreError::Damaged(format!("a call cannot be read ({e})"));
        Ok((serde_json::from_str(&calls).map_err(damaged)?, serde_json::from_str(&known).map_err(damaged)?))
    }

    /// Writes what has moved of many calls: two statements at most, as one text.
    ///
    /// # Errors
    /// When a call is no longer in the state in which it was read.
    pub async fn update_calls(&mut self, calls: &[CallUpdate<'_>], now: DateTime<Utc>) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        let (mut stays, mut moves) = (Written::default(), Written::default());
        for call in calls {
            let columns = changed(call.was, call.row);
            if place(call.was.state) == place(call.row.state) { stays.add(*call, columns) } else { moves.add(*call, columns) }
        }
        let (mut texts, mut rows) = (Vec::new(), Vec::new());
        for (written, moves) in [(stays, false), (moves, true)].iter().filter(|(w, _)| !w.calls.is_empty()) {
            texts.push(written.sql(2 + rows.len(), *moves));
            rows.push(written.json(*moves));
        }
        let mut query = sqlx::query(sqlx::AssertSqlSafe(texts.join("; "))).bind(now);
        for json in rows {
            query = query.bind(json);
        }
        let done = on_tx!(self, |db| query.execute(&mut *db).await?.rows_affected());
        if usize::try_from(done) != Ok(calls.len()) {
            return Err(StoreError::moved());
        }
        Ok(())
    }
}
