//! Claim and release: rows leased from the queue by one engine, to be prepared. Harmless so far. The
//! gates of the contact are judged here, before an agent is called; those of installation, campaign
//! and trunk were judged before, and close the campaign, not the row.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Duration, Utc};

use super::{Actor, Desk, DeskError, Installation, audit, law, row::tally};
use crate::{
    domain::{
        call::{BY_HAND, State},
        campaign::Status,
        contact::script_fields,
        dispatch::{self, Closed, Closes, ContactFacts, Gate, History, Place, Scope},
        id::{CallId, Incarnation, TrunkId},
        place,
        rules::Rules,
        script::Script,
        stats::{self, Counts},
        zone,
    },
    failpoint::reach,
    store::{CallRow, CallUpdate, CampaignRow, ClaimRow, ClaimStanding, ContactGates, Lane, OutgoingRow, StoreError, Tx},
};

/// What to lease, for whom.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    pub campaign: Arc<CampaignRow>,
    /// The number and trunk the calls will go out by.
    pub outgoing: Outgoing,
    /// Whose rows, in this order.
    pub zones: Vec<String>,
    pub limit: usize,
    pub incarnation: Incarnation,
    pub lease: Duration,
}

/// The way out: our number, over a trunk at `LiveKit`.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub trunk: TrunkId,
    pub livekit_trunk: String,
    pub caller_id: String,
    /// Countries of the trunk's own numbers.
    pub countries: Vec<String>,
}

impl From<OutgoingRow> for Outgoing {
    fn from(row: OutgoingRow) -> Self {
        let countries = row.trunk.trunk_countries.map(|c| c.0).unwrap_or_default();
        Self { trunk: row.trunk_id, livekit_trunk: row.livekit_id, caller_id: row.caller_id, countries }
    }
}

/// A call leased by one engine, ready to be prepared.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub call: CallId,
    pub claim_number: i64,
    pub room: String,
    pub zones: String,
    pub number: String,
    pub contact_name: String,
    pub company: String,
    pub attempt: i64,
    /// Somebody asked for it and waits: it is dialled soon or never.
    pub by_hand: bool,
    /// Rendered for this contact.
    pub script: String,
    pub outgoing: Outgoing,
    pub campaign: Arc<CampaignRow>,
}

/// What a claim brought.
#[derive(Debug, Default)]
pub struct Claims {
    pub ready: Vec<Claimed>,
    pub turned_away: Vec<TurnedAway>,
}

/// A call whose contact's gate is closed: its row went back, or ended.
#[derive(Debug)]
pub struct TurnedAway {
    pub number: String,
    pub zones: String,
    pub closed: Closed,
}

/// How soon a released call is looked at again when no better moment is known.
const RECHECK: Duration = Duration::seconds(10);

/// A job that changed nothing: undone, so that no bell rings for it.
enum Unclaimed {
    Nothing,
    Desk(DeskError),
}

impl<E: Into<DeskError>> From<E> for Unclaimed {
    fn from(e: E) -> Self {
        Self::Desk(e.into())
    }
}

/// The room of one claim of one call: never a name twice, never a number in it.
#[must_use]
pub fn room_name(installation: &Installation, call: CallId, claim_number: i64) -> String {
    format!("{}{call}-{claim_number}", installation.room_prefix())
}

impl Desk {
    /// Leases up to `limit` due rows of a campaign whose contact gates are open. A contact that lacks a
    /// field of the script is ended here, before any room exists.
    pub async fn claim(&self, installation: Installation, request: ClaimRequest) -> Result<Claims, DeskError> {
        let (rules, clock) = (self.rules.clone(), self.clock.clone());
        let campaign = request.campaign.clone();
        let outgoing = request.outgoing.clone();
        reach("claim.begin");
        let claimed = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { claim(tx, &rules, &request, clock.now()).await })).await;
        reach("claim.committed");
        match claimed {
            Ok((rows, turned_away)) => {
                for t in &turned_away {
                    self.meters.refused(t.closed.gate.word());
                }
                Ok(Claims { ready: self.render(installation, &campaign, &outgoing, rows).await?, turned_away })
            }
            Err(Unclaimed::Nothing) => Ok(Claims::default()),
            Err(Unclaimed::Desk(e)) => Err(e),
        }
    }

    /// Renders the scripts of claimed rows: foreign text, so outside of any transaction.
    pub(super) async fn render(
        &self,
        installation: Installation,
        campaign: &Arc<CampaignRow>,
        outgoing: &Outgoing,
        rows: Vec<(CallRow, ClaimRow)>,
    ) -> Result<Vec<Claimed>, DeskError> {
        let mut claimed = Vec::with_capacity(rows.len());
        let script = Script::parse(campaign.script());
        let mut wrong = None;
        for (row, mut told) in rows {
            if let Some(words) = &wrong {
                self.release(row.id, row.claim_number, None, String::clone(words)).await?;
                continue;
            }
            let company = told.company.take().unwrap_or_default();
            let fields = script_fields(&row.contact_name, &row.contact_email, &company, &told.fields());
            // Who asked for a call may have said what for.
            let own = row.script.as_deref().map(Script::parse);
            match own.as_ref().unwrap_or(&script).render(&fields) {
                Ok(script) => claimed.push(Claimed {
                    call: row.id,
                    claim_number: row.claim_number,
                    room: room_name(&installation, row.id, row.claim_number),
                    zones: row.zones,
                    number: row.phone_number,
                    contact_name: row.contact_name,
                    company,
                    attempt: row.attempt,
                    by_hand: row.priority == BY_HAND,
                    script,
                    outgoing: outgoing.clone(),
                    campaign: campaign.clone(),
                }),
                Err(missing) => {
                    if row.script.is_none()
                        && let Some(words) = self.wrong_script(campaign, &missing).await?
                    {
                        self.pause_for(campaign, &words).await?;
                        self.release(row.id, row.claim_number, None, words.clone()).await?;
                        wrong = Some(words);
                        continue;
                    }
                    self.fail_claimed(row, missing.to_string()).await?;
                }
            }
        }
        Ok(claimed)
    }

    /// Ends a claimed call that cannot be made, if the claim still holds it.
    async fn fail_claimed(&self, row: CallRow, reason: String) -> Result<(), DeskError> {
        let clock = self.clock.clone();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let holds = |r: &CallRow| r.state == State::Claimed && r.claim_number == row.claim_number;
                    match tx.call(row.id).await?.filter(holds) {
                        Some(row) if row.priority == BY_HAND => turn_away(tx, &row, &Closed::new(Gate::Script, reason), clock.now()).await,
                        Some(row) => Ok(end_unarmed(tx, row, State::Failed, &reason, clock.now()).await?),
                        None => Ok(()),
                    }
                })
            })
            .await
    }

    /// Puts a claimed call back, due again at `due` or with the place it had; `false` when this claim no
    /// longer holds it.
    pub async fn release(&self, call: CallId, claim_number: i64, due: Option<DateTime<Utc>>, reason: String) -> Result<bool, DeskError> {
        let clock = self.clock.clone();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { release(tx, call, claim_number, due, &reason, clock.now()).await })).await
    }

    /// Claims whose lease ran out go back into the queue; answers their rooms.
    pub async fn release_expired(&self, installation: Installation, rows: &[CallRow]) -> Result<Vec<String>, DeskError> {
        let now = self.now();
        let mut rooms = Vec::new();
        for row in rows.iter().filter(|r| r.state == State::Claimed && r.lease_until.is_none_or(|t| t < now)) {
            // One that was armed meanwhile keeps its room: a phone may be ringing in it.
            if self.release(row.id, row.claim_number, Some(now), "the claim ran out".to_owned()).await? {
                rooms.push(room_name(&installation, row.id, row.claim_number));
            }
        }
        Ok(rooms)
    }
}

type Leased = (Vec<(CallRow, ClaimRow)>, Vec<TurnedAway>);

async fn claim(tx: &mut Tx, rules: &Rules, request: &ClaimRequest, now: DateTime<Utc>) -> Result<Leased, Unclaimed> {
    let campaign = &request.campaign;
    let leads = |standing: &ClaimStanding| standing.leader.as_ref().is_none_or(|l| *l == request.incarnation.to_string());
    // What was decided was of the campaign as it was then.
    let as_decided = |s: &ClaimStanding| s.execution_status == Status::Running && !s.deleted && s.generation == campaign.generation;
    if !tx.claim_standing(campaign.id).await?.is_some_and(|s| leads(&s) && as_decided(&s)) {
        return Err(Unclaimed::Nothing);
    }
    let rows = lease(tx, request, now).await?;
    if rows.is_empty() {
        return Err(Unclaimed::Nothing);
    }
    reach("claim.leased");
    let n = i64::try_from(rows.len()).unwrap_or(0);
    tx.add_counts(campaign.id, &Counts { pending: -n, processing: n, ..Counts::default() }).await?;
    let ids: Vec<CallId> = rows.iter().map(|r| r.id).collect();
    let mut read: HashMap<CallId, ClaimRow> = tx.claim_rows(&ids, now - History::REACH).await?.into_iter().map(|r| (r.gates.id, r)).collect();
    let (mut kept, mut turned_away) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let Some(read) = read.remove(&row.id) else { continue };
        match judge_contact(rules, &read.gates, &request.outgoing.countries, now) {
            Ok(()) => kept.push((row, read)),
            Err(closed) => {
                turn_away(tx, &row, &closed, now).await?;
                turned_away.push(TurnedAway { number: row.phone_number, zones: row.zones, closed });
            }
        }
    }
    reach("claim.written");
    Ok((kept, turned_away))
}

/// Rows of the zones: an even share for each in the order given, then whatever is left to whoever has more.
async fn lease(tx: &mut Tx, request: &ClaimRequest, now: DateTime<Utc>) -> Result<Vec<CallRow>, StoreError> {
    let (campaign, zones) = (&request.campaign, &request.zones);
    let mut rows: Vec<CallRow> = Vec::new();
    for share in [request.limit.div_ceil(zones.len().max(1)), request.limit] {
        for zone in zones {
            let limit = share.min(request.limit - rows.len());
            if limit > 0 {
                rows.extend(tx.claim(campaign.id, zone, limit, request.incarnation, request.lease, now).await?);
            }
        }
    }
    Ok(rows)
}

/// Where a contact may be by the tables of today: its row may wait since before they were corrected.
pub(super) fn place_key(g: &ContactGates) -> String {
    place::key_again(&g.phone_number, g.said.as_deref(), &g.zones)
}

/// The gates of a contact, over what was read of its call.
pub(super) fn judge_contact(rules: &Rules, g: &ContactGates, trunk_countries: &[String], now: DateTime<Utc>) -> Result<(), Closed> {
    let (key, history) = (place_key(g), g.history());
    let zones = zone::parse_key(&key);
    let closures = law::read(g.closures.as_deref())?;
    let facts = ContactFacts {
        place: Place { number: &g.phone_number, country: &g.country, zones: zones.as_deref(), states: zone::states_of(&key).collect() },
        trunk_countries,
        on_do_not_call: g.on_do_not_call,
        consent_at: g.consent_at(),
        history: &history,
        promised: g.promised,
        closures: &closures,
        number_live: g.number_live,
        number_held_until: g.number_held_until,
    };
    dispatch::contact(rules, &facts, now)
}

/// What becomes of a claimed call whose gate is closed. A contact's row ends where no time opens the
/// gate, and goes back until it does else; what closes the campaign leaves the row's place in the queue. What
/// somebody asked for ends by any gate: they are told, and it is not dialled later by surprise.
pub(super) async fn turn_away(tx: &mut Tx, row: &CallRow, closed: &Closed, now: DateTime<Utc>) -> Result<(), DeskError> {
    if row.priority == BY_HAND {
        return end_refused(tx, row, closed, now).await;
    }
    match (closed.gate.scope(), closed.gate.closes()) {
        (Scope::Contact, Closes::ForGood) => end_unarmed(tx, row.clone(), State::Canceled, &closed.message, now).await?,
        (Scope::Contact, Closes::Until | Closes::Pace) => {
            release(tx, row.id, row.claim_number, Some(closed.until.unwrap_or(now + RECHECK)), &closed.message, now).await?;
        }
        (Scope::Installation | Scope::Campaign | Scope::Trunk, _) => {
            release(tx, row.id, row.claim_number, None, &closed.message, now).await?;
        }
    }
    refused(tx, row, closed, now).await
}

/// Ends a call that somebody asked for, with the gate that was closed.
async fn end_refused(tx: &mut Tx, row: &CallRow, closed: &Closed, now: DateTime<Utc>) -> Result<(), DeskError> {
    end_unarmed(tx, row.clone(), State::Canceled, &closed.message, now).await?;
    refused(tx, row, closed, now).await
}

/// The evidence of a call that was not armed.
async fn refused(tx: &mut Tx, row: &CallRow, closed: &Closed, now: DateTime<Utc>) -> Result<(), DeskError> {
    let details = serde_json::json!({ "gate": closed.gate.word(), "message": closed.message, "until": closed.until, "rules": crate::domain::legal::version(), "timeZones": crate::domain::zone::version() });
    audit(tx, &Actor::engine(row.user_id), now, "call_not_armed", Some(row.id.0), &details).await
}

/// Ends a call that was not armed and will not be.
pub(super) async fn end_unarmed(tx: &mut Tx, was: CallRow, to: State, reason: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut row = was.clone();
    (row.state, row.completed_at, row.charged, row.lease_until) = (to, Some(now), false, None);
    reason.clone_into(&mut row.reason);
    tx.update_calls(&[CallUpdate { was: &was, row: &row }], now).await?;
    tx.add_counts(row.campaign_id, &(stats::contribution(&tally(&row)) - stats::contribution(&tally(&was)))).await
}

/// Back into the queue, due at `due` or as it was; `false` when this claim no longer holds the call.
pub(super) async fn release(
    tx: &mut Tx,
    call: CallId,
    claim_number: i64,
    due: Option<DateTime<Utc>>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, DeskError> {
    let Some(row) = tx.call(call).await?.filter(|r| r.state == State::Claimed && r.claim_number == claim_number) else { return Ok(false) };
    if row.priority == BY_HAND {
        end_refused(tx, &row, &Closed::new(Gate::Engine, reason), now).await?;
        return Ok(true);
    }
    // A hang-up asked for while it was being prepared, or a stop: it does not go back.
    let campaign = tx.campaign(row.user_id, row.campaign_id).await?;
    let over = campaign.is_none_or(|c| matches!(c.execution_status, Status::Completed | Status::Idle));
    if over || row.hangup_requested_at.is_some() {
        let words = if over { "the campaign was stopped" } else { "hung up before it was dialled" };
        end_unarmed(tx, row, State::Canceled, words, now).await?;
        return Ok(true);
    }
    let released = tx.release(call, claim_number, due.unwrap_or(row.dialable_at), reason, now).await?;
    if released {
        tx.add_counts(row.campaign_id, &Counts { pending: 1, processing: -1, ..Counts::default() }).await?;
    }
    Ok(released)
}
