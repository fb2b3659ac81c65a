//! What the engine does with a request of `requests`: takes it, once, judges it again, and says what came of it.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::{
    Actor, Desk, DeskError, audit,
    requests::{Judged, NOBODY, judge},
};
use crate::{
    domain::{
        dispatch::Gate,
        id::{Incarnation, RequestId},
        phone::PhoneNumber,
        request::{Fate, Kind, Verdict},
        rules::Rules,
    },
    store::{CallRow, Lane, RequestRow, Setting, Tx},
};

/// Whoever asked has been told so by then, or is gone: it is not done later by surprise.
const LATE: Duration = Duration::seconds(10);

/// A phone that listens is on no longer than this after the last moment of its call: it rings, and is let go.
const LISTENS_ON: Duration = Duration::minutes(2);

impl Desk {
    /// Takes a request for an engine that leads, once; `None` when somebody has it or the gates have closed:
    /// then it is over. With it comes a line of the trunk, where it is one that `rings` a phone into the call.
    pub async fn take_request(&self, id: RequestId, mine: Incarnation, rings: bool) -> Result<Option<(RequestRow, CallRow)>, DeskError> {
        let (clock, rules) = (self.clock.clone(), self.rules.clone());
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { take(tx, &rules, id, mine, rings, clock.now()).await })).await
    }

    /// A supervisor's phone is off: its line is free.
    pub async fn free_listening_line(&self, id: RequestId) -> Result<(), DeskError> {
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.free_listening_line(id).await?) })).await
    }

    /// What came of a request, with its audit.
    pub async fn finish_request(&self, id: RequestId, verdict: Verdict) -> Result<(), DeskError> {
        let now = self.now();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { finish(tx, id, &verdict, now).await })).await
    }

    /// Closes what was asked of calls that are over.
    pub async fn close_requests(&self, over: Vec<(RequestId, Kind)>) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    for (id, kind) in over {
                        let fate = if kind == Kind::Hangup { Fate::Done } else { Fate::Failed };
                        finish(tx, id, &Verdict::new(fate, "the call has ended"), now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Gives up what an engine took that leads no more: it is not done again.
    pub async fn give_up_request(&self, id: RequestId, mine: Incarnation) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    // Who was replaced meanwhile would give up what its successor is doing.
                    if tx.setting(Setting::Leader).await?.is_some_and(|l| l != mine.to_string()) {
                        return Ok(());
                    }
                    let words = "the engine that did it died meanwhile: nobody knows what came of it. Look at the call before asking again";
                    finish(tx, id, &Verdict::new(Fate::Unknown, words), now).await
                })
            })
            .await
    }

    /// Ends a request whose errand broke down: what it had not taken was certainly not done.
    pub async fn request_broke(&self, id: RequestId) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let taken = tx.request(id).await?.is_some_and(|r| r.taken_by.is_some());
                    let (fate, words) = if taken {
                        (Fate::Unknown, "it broke down halfway: nobody knows what came of it. Look at the call before asking again")
                    } else {
                        (Fate::Failed, "it broke down before it began: nothing was done")
                    };
                    finish(tx, id, &Verdict::new(fate, words), now).await
                })
            })
            .await
    }
}

async fn take(
    tx: &mut Tx,
    rules: &Arc<Rules>,
    id: RequestId,
    mine: Incarnation,
    rings: bool,
    now: DateTime<Utc>,
) -> Result<Option<(RequestRow, CallRow)>, DeskError> {
    if tx.setting(Setting::Leader).await?.is_some_and(|l| l != mine.to_string()) {
        return Ok(None);
    }
    let Some(request) = tx.request(id).await?.filter(|r| r.done_at.is_none()) else { return Ok(None) };
    if now - request.at > LATE {
        finish(tx, id, &Verdict::new(Fate::Failed, NOBODY), now).await?;
        return Ok(None);
    }
    let Some(row) = tx.call(request.call_id).await?.filter(|r| r.state.is_open()) else {
        finish(tx, id, &Verdict::new(Fate::Failed, "the call has ended"), now).await?;
        return Ok(None);
    };
    if !tx.take_request(id, mine, now).await? {
        return Ok(None);
    }
    let number = request.arguments.get("to").or_else(|| request.arguments.get("phoneNumber")).and_then(|n| n.as_str());
    if let Some(number) = number {
        let Ok(phone) = PhoneNumber::parse(number, None) else {
            finish(tx, id, &Verdict::new(Fate::Failed, "its number cannot be read"), now).await?;
            return Ok(None);
        };
        match judge(tx, rules, &row, &phone, now).await {
            Ok(()) => {}
            Err(Judged::Closed(closed)) => {
                let details = json!({ "gate": closed.gate.word(), "until": closed.until });
                finish(tx, id, &Verdict::new(Fate::Refused, closed.message).with(details), now).await?;
                return Ok(None);
            }
            Err(Judged::Desk(e)) => return Err(e),
        }
    }
    if rings && !take_line(tx, rules, id, &row, now).await? {
        let details = json!({ "gate": Gate::TrunkLines.word() });
        finish(tx, id, &Verdict::new(Fate::Refused, "every line of the call's trunk is in use").with(details), now).await?;
        return Ok(None);
    }
    Ok(Some((request, row)))
}

/// The line of the trunk that another phone needs.
async fn take_line(tx: &mut Tx, rules: &Rules, id: RequestId, row: &CallRow, now: DateTime<Utc>) -> Result<bool, DeskError> {
    let Some(trunk) = row.trunk_id else { return Ok(false) };
    let over = row.armed_at.unwrap_or(now) + Duration::seconds(row.ring_timeout_s + row.max_call_duration_s);
    Ok(tx.take_listening_line((id, row.id), trunk, rules.trunk_concurrent, (now, over.max(now) + LISTENS_ON)).await?)
}

async fn finish(tx: &mut Tx, id: RequestId, verdict: &Verdict, now: DateTime<Utc>) -> Result<(), DeskError> {
    let Some(request) = tx.request(id).await? else { return Ok(()) };
    // Who was told that nobody took it must not be told otherwise: what is taken is finished by its taker.
    if verdict.words == NOBODY && request.taken_by.is_some() {
        return Ok(());
    }
    if !tx.finish_request(id, verdict, now).await? {
        return Ok(());
    }
    // Of what is done or unknown the engine looks when the phone is off.
    if matches!(verdict.fate, Fate::Refused | Fate::Failed) {
        tx.free_listening_line(id).await?;
    }
    if request.kind != Kind::Hangup {
        let action = format!("{}_{}", request.kind.as_str(), fate(verdict.fate));
        audit(tx, &Actor::engine(request.user_id), now, &action, Some(request.call_id.0), &json!({ "request": id, "words": verdict.words })).await?;
    }
    Ok(())
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Done => "done",
        Fate::Refused => "refused",
        Fate::Failed => "failed",
        Fate::Unknown => "unknown",
    }
}
