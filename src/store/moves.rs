//! Calls read and written as a set. Of those that have moved only what has changed is written: an index is
//! rewritten with each column of it that a statement names, whether its value stays or not.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    CallRow, StoreError, Tx,
    pool::on_tx,
    rows::stamp,
    sql::{Kind, letters, spoken},
    texts::Part,
};
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
    (|$r:ident| $($column:ident: $kind:ident = $value:expr),+ $(,)?) => {
        /// With the word by which a value of it is read.
        const COLUMNS: &[(&str, &str)] = &[$((stringify!($column), stringify!($kind))),+];

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
    |r| state: text = r.state.as_str(),
    reply_pending: flag = i64::from(r.reply_pending),
    participant_sid: text = r.participant_sid.as_deref(),
    sip_call_id: text = r.sip_call_id.as_deref(),
    call_sid: text = r.call_sid.as_deref(),
    leg_seen: flag = i64::from(r.leg_seen),
    ringing_seen: flag = i64::from(r.ringing_seen),
    rejoined: flag = i64::from(r.rejoined),
    left_at: at = stamp(r.left_at),
    left_reason: nested = json_text(r.left_reason.as_ref().map(|l| l.0)),
    left_status: nested = json_text(r.left_status.as_ref().map(|l| l.0)),
    ringing_at: at = stamp(r.ringing_at),
    answered_at: at = stamp(r.answered_at),
    completed_at: at = stamp(r.completed_at),
    call_duration: int = r.call_duration,
    basis: text = word(r.basis),
    sip_code: int = r.sip_code,
    reason: text = r.reason.as_str(),
    charged: flag = i64::from(r.charged),
    outcome: text = word(r.outcome),
    outcome_who: text = word(r.outcome_who),
    outcome_by: text = r.outcome_by.as_deref(),
    outcome_at: at = stamp(r.outcome_at),
    suggestion: text = word(r.suggestion),
    suggestion_confidence: real = r.suggestion_confidence,
    notes: text = r.notes.as_str(),
    lease_until: at = stamp(r.lease_until),
    doubt: text = word(r.doubt),
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

    /// The statement; the last value of each row is the state that the call must still have.
    fn sql(&self, moves: bool) -> String {
        let columns = COLUMNS.iter().enumerate().filter(|(bit, _)| self.columns >> bit & 1 == 1).map(|(_, column)| *column);
        let columns: Vec<_> = columns.chain(moves.then_some(("rank", "int"))).collect();
        let was = columns.len() + 1;
        let set: Vec<String> = columns.iter().zip(1..).map(|((name, kind), i)| format!("{name} = #{kind}(v, {i})")).collect();
        let set = set.into_iter().chain(["updated_at = $1".to_owned()]).collect::<Vec<_>>().join(", ");
        format!("UPDATE campaign_calls SET {set} FROM #keyedb($rows) WHERE id = j.row_id AND state = #text(v, {was})")
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
const AS_ONE: &str = "#list(#array(#hex(id), #hex(user_id), #hex(campaign_id), nullif(#hex(contact_id), ''), phone_number, contact_name,
    contact_email, country, zones, position, attempt, state, dialable_at, priority, lease_until, nullif(#hex(incarnation), ''), claim_number, armed_at,
    deadline_at, armed_day, reply_pending, room_name, nullif(#hex(trunk_id), ''), caller_id, NULL, ring_timeout_s, max_call_duration_s, participant_sid,
    sip_call_id, call_sid, leg_seen, ringing_seen, rejoined, left_at, #inner(left_reason), #inner(left_status), doubt, started_at, ringing_at, answered_at,
    completed_at, call_duration, basis, sip_code, reason, charged, outcome, outcome_who, outcome_by, outcome_at, suggestion, suggestion_confidence,
    notes, hangup_requested_at, recording_url, created_at, updated_at))";

/// What is asked for each fact. Each key is looked up by itself: as a set PostgreSQL reads the whole index of keys beside
/// it, by a plan that was good while there were few.
static NAMED: LazyLock<[String; 2]> = LazyLock::new(|| {
    let template = format!(
        "SELECT CAST((SELECT {AS_ONE} FROM calls WHERE id IN (#ids($1) UNION
                     SELECT id FROM campaign_calls WHERE call_sid IN (#words($2)) AND call_sid IS NOT NULL)) AS TEXT),
                 CAST((SELECT #list(value) FROM (#words($3)) AS w WHERE (SELECT 1 FROM call_events AS e WHERE e.key = w.value) IS NOT NULL) AS TEXT)"
    );
    [Kind::Sqlite, Kind::Postgres].map(|kind| spoken(kind, &template))
});

impl Tx {
    /// Calls with these ids or these Twilio call sids, without their scripts; and of these keys of events, those that
    /// have come before.
    pub async fn calls_named(&mut self, ids: &[CallId], sids: &[&str], keys: &[&str]) -> Result<(Vec<CallRow>, Vec<String>), StoreError> {
        let ids: Vec<String> = ids.iter().map(|i| i.hex()).collect();
        let sql = NAMED[self.kind() as usize].as_str();
        let [ids, sids, keys] = [json!(ids), json!(sids), json!(keys)].map(|list| letters(self.kind(), list.to_string()));
        let (calls, known): (String, String) = on_tx!(self, |db| sqlx::query_as(sql).bind(ids).bind(sids).bind(keys).fetch_one(&mut *db).await?);
        let damaged = |e: serde_json::Error| StoreError::Damaged(format!("a call cannot be read ({e})"));
        Ok((serde_json::from_str(&calls).map_err(damaged)?, serde_json::from_str(&known).map_err(damaged)?))
    }

    /// Writes what has moved of many calls: two statements at most, as one text.
    ///
    /// # Errors
    /// When a call is no longer in the state in which it was read.
    pub async fn update_calls(&mut self, calls: &[CallUpdate<'_>], now: DateTime<Utc>) -> Result<(), StoreError> {
        let changed = self.run_parts(parts(calls), now).await?;
        all_moved(calls, &changed)?;
        // Only people write notes, one call at a time: what dials and what is told of calls comes with none.
        let noted: Vec<CallId> = calls.iter().filter(|c| c.was.notes != c.row.notes).map(|c| c.row.id).collect();
        if noted.is_empty() { Ok(()) } else { self.index_notes(&noted).await }
    }
}

/// The statements that write what has moved.
pub(super) fn parts(calls: &[CallUpdate<'_>]) -> Vec<Part> {
    let (mut stays, mut moves) = (Written::default(), Written::default());
    for call in calls {
        let columns = changed(call.was, call.row);
        if place(call.was.state) == place(call.row.state) { stays.add(*call, columns) } else { moves.add(*call, columns) }
    }
    let written = [(stays, false), (moves, true)].into_iter().filter(|(w, _)| !w.calls.is_empty());
    written.map(|(w, moves)| Part::new(w.sql(moves), w.json(moves))).collect()
}

/// Whether each call was still in the state in which it was read, by the rows that the statements have changed.
pub(super) fn all_moved(calls: &[CallUpdate<'_>], changed: &[u64]) -> Result<(), StoreError> {
    if usize::try_from(changed.iter().sum::<u64>()) == Ok(calls.len()) { Ok(()) } else { Err(StoreError::moved()) }
}
