//! The facts of one transaction, applied together: rows as they were, rows as they are, and what follows from it.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use chrono::{DateTime, Utc};

use super::{
    Actor, DeskError, audit, dnc, protect, recordings, retries,
    row::{change_row, facts, held_until, note_identity, tally},
};
use crate::{
    domain::{
        breaker::Limits,
        call::{self, State},
        campaign::Status,
        dispatch::BUSY,
        event::{AgentReport, CallEvent, Fault, Kind, Target},
        id::{CallId, CampaignId, OwnerId},
        outcome::{Outcome, Report, Who},
        stats,
    },
    failpoint::reach,
    store::{CallRow, CallUpdate, Kept, NewEvent, NewOutcome, Sums, Tx, minute_of},
};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The key was known: nothing changed.
    Duplicate,
    /// Stored; about no call of ours, or no news to it.
    Stored,
    /// Stored, and the call is in this state now.
    Moved(State),
}

/// The call id in one of our room names, `dd-<installation>-<call uuid>-<claim>`.
#[must_use]
pub fn call_of_room(room: &str) -> Option<CallId> {
    let rest = room.strip_prefix("dd-")?.split_once('-')?.1;
    rest.get(..36)?.parse().ok()
}

/// The work of one transaction: rows as they were, rows as they are, and what follows from it.
pub(super) struct Batch {
    now: DateTime<Utc>,
    breaker: Limits,
    rows: HashMap<CallId, CallRow>,
    /// As they were before this batch, of those that are touched.
    before: HashMap<CallId, CallRow>,
    touched: Vec<CallId>,
    reports: Vec<(CallId, AgentReport)>,
    faults: Vec<(CampaignId, CallId, Fault, String)>,
    carrier_outcomes: Vec<CallId>,
    reopened: Vec<CallId>,
    /// Those of them that have their number again: their end is an end like any other's.
    adopted: HashSet<CallId>,
    /// Ended calls whose result was replaced by a better one.
    replaced: Vec<CallId>,
    /// Calls whose Twilio id has become known.
    named: Vec<CallId>,
}

impl Batch {
    pub(super) fn new(now: DateTime<Utc>, breaker: Limits) -> Self {
        Self {
            now,
            breaker,
            rows: HashMap::new(),
            before: HashMap::new(),
            touched: Vec::new(),
            reports: Vec::new(),
            faults: Vec::new(),
            carrier_outcomes: Vec::new(),
            reopened: Vec::new(),
            adopted: HashSet::new(),
            replaced: Vec::new(),
            named: Vec::new(),
        }
    }

    pub(super) async fn run(mut self, tx: &mut Tx, events: &[CallEvent]) -> Result<Vec<Recorded>, DeskError> {
        let (targets, mut known) = self.load(tx, events).await?;
        let mut results = Vec::with_capacity(events.len());
        let mut fresh = Vec::with_capacity(events.len());
        for (event, call) in events.iter().zip(targets) {
            // A key twice in one batch is new once.
            if !known.insert(event.key.clone()) {
                results.push(Recorded::Duplicate);
                continue;
            }
            let moved = call.and_then(|call| self.step(call, event));
            fresh.push(NewEvent { event, call, moved });
            results.push(moved.map_or(Recorded::Stored, Recorded::Moved));
        }
        self.write(tx, &fresh).await?;
        reach("record.written");
        Ok(results)
    }

    /// Reads the rows the events are about; answers each event's call, and the keys that have come before.
    async fn load(&mut self, tx: &mut Tx, events: &[CallEvent]) -> Result<(Vec<Option<CallId>>, HashSet<String>), DeskError> {
        let keys: Vec<&str> = events.iter().map(|e| e.key.as_str()).collect();
        let sids: Vec<&str> = events.iter().filter_map(|e| if let Target::CallSid(s) = &e.target { Some(s.as_str()) } else { None }).collect();
        let named = |e: &CallEvent| match &e.target {
            Target::Call(id) => Some(*id),
            Target::Room(room) => call_of_room(room),
            Target::CallSid(_) | Target::None => None,
        };
        let ids: Vec<CallId> = events.iter().filter_map(named).collect::<HashSet<_>>().into_iter().collect();
        let (rows, known) = tx.calls_named(&ids, &sids, &keys).await?;
        self.rows = rows.into_iter().map(|r| (r.id, r)).collect();
        let by_sid: HashMap<&str, CallId> = self.rows.values().filter_map(|r| Some((r.call_sid.as_deref()?, r.id))).collect();
        let of = |e: &CallEvent| if let Target::CallSid(sid) = &e.target { by_sid.get(sid.as_str()).copied() } else { named(e) };
        let mut targets: Vec<Option<CallId>> = events.iter().map(of).collect();
        for (target, event) in targets.iter_mut().zip(events) {
            let Some(row) = target.and_then(|id| self.rows.get(&id)) else {
                *target = None;
                continue;
            };
            // A room of an earlier claim of this call is not this call's room.
            if let Target::Room(room) = &event.target
                && row.room_name.as_deref() != Some(room)
            {
                *target = None;
            }
        }
        Ok((targets, known.into_iter().collect()))
    }

    /// Applies one event to its row in memory; the state it moved to, if it did.
    fn step(&mut self, id: CallId, event: &CallEvent) -> Option<State> {
        let row = self.rows.get_mut(&id)?;
        if let Entry::Vacant(first) = self.before.entry(id) {
            first.insert(row.clone());
            self.touched.push(id);
        }
        let change = call::apply(&facts(row), &event.kind);
        let moved = change.to;
        if row.state.is_ended() && moved.is_some_and(State::is_ended) {
            self.replaced.push(id);
        }
        if let Some(fault) = change.campaign_fault {
            self.faults.push((row.campaign_id, id, fault, change.reason.clone().unwrap_or_default()));
        }
        if change.reopened {
            self.reopened.push(id);
        }
        if change.wrong_number && row.outcome_who.is_none_or(|w| w < Who::Carrier) {
            (row.outcome, row.outcome_who, row.outcome_at) = (Some(Outcome::WrongNumber), Some(Who::Carrier), Some(self.now));
            self.carrier_outcomes.push(id);
        }
        let nameless = row.call_sid.is_none();
        note_identity(row, &event.kind);
        if nameless && row.call_sid.is_some() {
            self.named.push(id);
        }
        change_row(row, &change, event.at, self.now);
        if let Kind::Report(report) | Kind::AgentLeft(report) = &event.kind
            && !report.is_empty()
        {
            row.suggestion = report.outcome.or(row.suggestion);
            self.reports.push((id, report.clone()));
        }
        moved
    }

    async fn write(mut self, tx: &mut Tx, events: &[NewEvent<'_>]) -> Result<(), DeskError> {
        self.settle_reopened(tx).await?;
        self.charge_reopened(tx).await?;
        reach("record.settled");
        let calls: Vec<_> = self.changed().map(|(was, row)| CallUpdate { was, row }).collect();
        let ended = self.ended();
        let freed: Vec<_> = ended.iter().map(|r| (r.phone_number.clone(), r.id, held_until(r))).collect();
        tx.keep(&Kept { events, calls: &calls, sums: &self.sums(), freed: &freed }, self.now).await?;
        reach("record.kept");
        self.write_ends(tx, &ended).await?;
        reach("record.ended");
        self.write_replaced(tx).await?;
        self.write_troubles(tx).await?;
        for id in &self.carrier_outcomes {
            tx.insert_outcome(&told(*id, Outcome::WrongNumber, "the carrier knows no such number", Who::Carrier, ""), self.now).await?;
        }
        for (id, report) in std::mem::take(&mut self.reports) {
            self.write_report(tx, id, &report).await?;
        }
        for row in self.named.iter().filter_map(|id| self.rows.get(id)) {
            recordings::link(tx, row.id, row.call_sid.as_deref().unwrap_or_default(), self.now).await?;
        }
        for (campaign, call, fault, reason) in std::mem::take(&mut self.faults) {
            self.write_fault(tx, campaign, call, fault, &reason).await?;
        }
        Ok(())
    }

    /// Each touched row as it was and as it is, in the order of the facts.
    fn changed(&self) -> impl Iterator<Item = (&CallRow, &CallRow)> {
        self.touched.iter().filter_map(|id| self.before.get(id).zip(self.rows.get(id)))
    }

    /// A call found alive needs its number again, and its contact's next attempt is off. Where another
    /// call has the number, two legs are up and the row must wait: the evidence is stored, the alarm raised.
    async fn settle_reopened(&mut self, tx: &mut Tx) -> Result<(), DeskError> {
        for id in std::mem::take(&mut self.reopened) {
            let Some(row) = self.rows.get(&id).cloned() else { continue };
            let others = tx.unended_of_number(row.user_id, &row.phone_number).await?;
            // The contact's number may have been changed since, and the other one be called.
            let of_contact = tx.others_of_contact(&row).await?;
            let taken = others.iter().any(|o| o.id != id && o.state.is_open()) || of_contact.iter().any(|o| o.state.is_open());
            if taken || !tx.take_number(&row.phone_number, id, self.now).await? {
                tracing::error!(target: "desk", call = %id, "a call believed ended is alive while its number is on another call");
                let mut kept = tx.call(id).await?.ok_or(DeskError::NotFound("call"))?;
                kept.reply_pending &= row.reply_pending;
                self.rows.insert(id, kept);
                continue;
            }
            for next in of_contact {
                dnc::cancel(tx, next, "an earlier call to the contact is alive", self.now).await?;
            }
            self.adopted.insert(id);
            tx.reopen_hangups(id).await?;
            tracing::warn!(target: "desk", call = %id, "a call believed over is alive: adopted");
            audit(tx, &Actor::engine(row.user_id), self.now, "call_reopened", Some(id.0), &serde_json::json!({ "state": row.state })).await?;
        }
        Ok(())
    }

    /// An unsent call gave its day's place back; it rang after all, and takes one again, whatever the cap.
    async fn charge_reopened(&self, tx: &mut Tx) -> Result<(), DeskError> {
        for (_, row) in self.changed().filter(|(was, row)| was.state == State::Unsent && row.state != State::Unsent) {
            let Some(day) = row.armed_day.as_deref() else { continue };
            if tx.charge_day(row.campaign_id, day).await? {
                tracing::error!(target: "desk", call = %row.id, "a call believed never sent did ring: the day's cap is passed by it");
                audit(tx, &Actor::engine(row.user_id), self.now, "cap_passed", Some(row.id.0), &serde_json::json!({ "day": day })).await?;
            }
        }
        Ok(())
    }

    /// What moves with the rows.
    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for (was, row) in self.changed() {
            let (before, counts) = (stats::contribution(&tally(was)), stats::contribution(&tally(row)));
            let delta = counts - before;
            *sums.campaigns.entry(row.campaign_id).or_default() += delta;
            if let Some(armed) = row.armed_at {
                let moved = stats::pace(row.state, &counts) - stats::pace(was.state, &before);
                *sums.minutes.entry((row.campaign_id, minute_of(armed))).or_default() += moved;
            }
            if let Some(trunk) = row.trunk_id {
                *sums.trunks.entry(trunk).or_default() += delta.live;
            }
        }
        sums
    }

    /// The calls that ended in this batch: their numbers are free.
    fn ended(&self) -> Vec<&CallRow> {
        let was_on = |was: &CallRow| stats::contribution(&tally(was)).processing == 1;
        let ends = |was: &CallRow, row: &CallRow| row.state.is_ended() && (self.adopted.contains(&row.id) || was_on(was));
        self.changed().filter(|(was, row)| ends(was, row)).map(|(_, row)| row).collect()
    }

    /// What follows from them: the day gets back what never rang, the contact is queued again by the rule of the result.
    async fn write_ends(&self, tx: &mut Tx, ended: &[&CallRow]) -> Result<(), DeskError> {
        for row in ended.iter().filter(|r| r.state == State::Unsent) {
            if let Some(day) = &row.armed_day {
                tx.give_back_day(row.campaign_id, day, 1).await?;
            }
        }
        retries::queue(tx, ended, self.now).await
    }

    /// A better result has other consequences: the next attempt is judged anew, and a number that was
    /// held for want of proof is free. Of somebody who spoke even an attempt already claimed is off.
    async fn write_replaced(&self, tx: &mut Tx) -> Result<(), DeskError> {
        for row in self.replaced.iter().filter_map(|id| self.rows.get(id)) {
            for next in tx.others_of_contact(row).await? {
                // What was promised to the contact is no retry.
                if next.priority == 0 && (next.state == State::Pending || (next.state == State::Claimed && row.answered_at.is_some())) {
                    dnc::cancel(tx, next, "the call before ended otherwise than believed", self.now).await?;
                }
            }
            if held_until(row).is_none() {
                tx.release_hold(&row.phone_number, row.id, self.now + BUSY, self.now).await?;
            }
            retries::queue(tx, &[row], self.now).await?;
        }
        Ok(())
    }

    /// Calls that the trunk failed, turned away, or left in doubt.
    async fn write_troubles(&self, tx: &mut Tx) -> Result<(), DeskError> {
        let rows = || self.touched.iter().filter_map(|id| self.rows.get(id));
        for row in rows().filter(|r| r.state == State::Refused) {
            if let Some(trunk) = row.trunk_id {
                tx.slow_trunk(trunk, self.now).await?;
            }
        }
        let troubled: BTreeMap<CampaignId, OwnerId> =
            rows().filter(|r| r.state == State::Unknown || (r.state == State::Failed && !r.charged)).map(|r| (r.campaign_id, r.user_id)).collect();
        for (campaign, owner) in troubled {
            protect::check(tx, &self.breaker, owner, campaign, self.now).await?;
        }
        Ok(())
    }

    async fn write_report(&self, tx: &mut Tx, id: CallId, report: &AgentReport) -> Result<(), DeskError> {
        let report_row = Report { summary: report.summary.clone(), answered_by: report.answered_by.clone(), transcript: Vec::new() };
        tx.put_report(id, &report_row, Who::Agent, "agent", self.now).await?;
        let Some(outcome) = report.outcome else { return Ok(()) };
        tx.insert_outcome(&told(id, outcome, report.summary.as_deref().unwrap_or_default(), Who::Agent, "agent"), self.now).await?;
        // Do-not-call counts at once, whoever heard it.
        if outcome == Outcome::DoNotCall
            && let Some(row) = self.rows.get(&id)
        {
            let actor = Actor { owner: row.user_id, name: "agent".to_owned(), source: "agent" };
            dnc::suppress(tx, &actor, &row.phone_number, "told to the agent", self.now).await?;
        }
        Ok(())
    }

    /// Our own configuration is at fault: the campaign cannot go on, the contact keeps its attempt.
    async fn write_fault(&self, tx: &mut Tx, campaign: CampaignId, call: CallId, fault: Fault, reason: &str) -> Result<(), DeskError> {
        let Some(row) = self.rows.get(&call) else { return Ok(()) };
        let words = match fault {
            Fault::Trunk => format!("the outbound trunk is missing or its credentials are refused: {reason}"),
            Fault::Login => format!("LiveKit connection failed: key or secret refused: {reason}"),
            // A service that is down comes back; the campaign waits and says so.
            Fault::TokenExpired | Fault::Late | Fault::NoSip | Fault::Unreachable | Fault::Route => return Ok(()),
        };
        if tx.move_campaign(campaign, Status::Running, Status::Error, &words, "engine", self.now).await? {
            audit(tx, &Actor::engine(row.user_id), self.now, "campaign_error", Some(campaign.0), &serde_json::json!({ "reason": words })).await?;
        }
        Ok(())
    }
}

/// An outcome that came with a fact.
fn told<'a>(call: CallId, value: Outcome, note: &'a str, who: Who, by: &'a str) -> NewOutcome<'a> {
    NewOutcome { call, value: Some(value), previous: None, note, who, by, confidence: None, undoes: None, callback_at: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_names_its_call() {
        let id = CallId::fresh();
        assert_eq!(call_of_room(&format!("dd-0a1b2c3d-{id}-12")), Some(id));
        assert_eq!(call_of_room("dd-0a1b2c3d-nonsense-1"), None);
        assert_eq!(call_of_room("lobby"), None);
    }
}
