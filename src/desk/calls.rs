//! Claim, arm, release: from a row in the queue to the point of no return. Only `arm` makes an
//! [`Armed`], and only an [`Armed`] can be dialled.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::{Actor, Desk, DeskError, Installation, audit, record::tally};
use crate::{
    domain::{
        Refusal,
        call::State,
        campaign::Status,
        event::{CallEvent, Kind, Source, Target},
        gate::{self, CampaignFacts, ContactFacts, Place, Rules, TrunkFacts},
        id::{CallId, ContactId, Incarnation, TrunkId},
        schedule, script,
        stats::{self, Counts},
        zone,
    },
    failpoint::reach,
    store::{ArmRow, CallRow, CallUpdate, CampaignRow, Lane, StoreError, Tx},
};

/// A call leased by one engine, ready to be prepared: harmless so far.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub call: CallId,
    pub claim_number: i64,
    pub room: String,
    pub number: String,
    pub contact_name: String,
    pub company: String,
    pub attempt: i64,
    /// Rendered for this contact.
    pub script: String,
    pub campaign: std::sync::Arc<CampaignRow>,
}

/// What arm needs to know beside the rows.
#[derive(Debug, Clone)]
pub struct ArmRequest {
    pub claimed: Claimed,
    pub incarnation: Incarnation,
    pub trunk: TrunkId,
    pub livekit_trunk: String,
    pub caller_id: String,
}

/// A call that may be dialled, once: made only by [`Desk::arm`], taken by value by the dialler.
#[derive(Debug)]
pub struct Armed {
    call: CallId,
    room: String,
    number: String,
    contact_name: String,
    livekit_trunk: String,
    caller_id: String,
    ring_timeout_s: i64,
    max_call_duration_s: i64,
    at: DateTime<Utc>,
    /// The host's uptime when the gates were judged.
    judged: std::time::Duration,
}

impl Armed {
    #[must_use]
    pub fn call(&self) -> CallId {
        self.call
    }

    #[must_use]
    pub fn room(&self) -> &str {
        &self.room
    }

    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    #[must_use]
    pub fn contact_name(&self) -> &str {
        &self.contact_name
    }

    #[must_use]
    pub fn livekit_trunk(&self) -> &str {
        &self.livekit_trunk
    }

    #[must_use]
    pub fn caller_id(&self) -> &str {
        &self.caller_id
    }

    #[must_use]
    pub fn ring_timeout_s(&self) -> i64 {
        self.ring_timeout_s
    }

    #[must_use]
    pub fn max_call_duration_s(&self) -> i64 {
        self.max_call_duration_s
    }

    /// The host's uptime when the gates were judged.
    #[must_use]
    pub fn judged(&self) -> std::time::Duration {
        self.judged
    }

    #[must_use]
    pub fn armed_at(&self) -> DateTime<Utc> {
        self.at
    }
}

/// Why a claimed call was not armed.
#[derive(Debug, Clone)]
pub enum Refused {
    /// The same claim may be armed at this moment: only the pace is in the way.
    Wait(DateTime<Utc>),
    /// A gate is closed; the row is back in the queue (or ended, where no time opens the gate).
    Gate(Refusal),
    /// The claim no longer holds the call.
    Lost,
}

/// The dial request's reply is waited for this long beyond the ringing timeout.
pub const REPLY_MARGIN: Duration = Duration::seconds(20);

/// How soon a released call is looked at again when no better moment is known.
const RECHECK: Duration = Duration::seconds(10);

/// The room of one claim of one call: never a name twice, never a number in it.
#[must_use]
pub fn room_name(installation: &Installation, call: CallId, claim_number: i64) -> String {
    format!("{}{call}-{claim_number}", installation.room_prefix())
}

impl Desk {
    /// Leases up to `limit` due rows of a campaign, spread over zones open now. A contact that lacks
    /// a field of the script is ended here, before any room exists.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn claim(
        &self,
        installation: Installation,
        campaign: std::sync::Arc<CampaignRow>,
        zones: Vec<String>,
        limit: usize,
        incarnation: Incarnation,
        lease: Duration,
    ) -> Result<Vec<Claimed>, DeskError> {
        let now = self.now();
        let rules = self.rules.clone();
        reach("claim.begin");
        let claimed = self
            .store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let mut rows = Vec::new();
                    if tx.setting("leader").await?.is_some_and(|l| l != incarnation.to_string()) {
                        return Ok(Vec::new());
                    }
                    for (i, zone) in zones.iter().enumerate() {
                        // An even share for each zone, what is left for the last.
                        let share = (limit - rows.len()).div_ceil(zones.len() - i);
                        if share > 0 {
                            rows.extend(tx.claim(campaign.id, zone, share, incarnation, lease, now).await?);
                        }
                    }
                    reach("claim.leased");
                    let n = i64::try_from(rows.len()).unwrap_or(0);
                    if n > 0 {
                        tx.add_counts(campaign.id, &Counts { pending: -n, processing: n, ..Counts::default() }).await?;
                    }
                    let claimed = prepare(tx, &rules, installation, &campaign, rows, now).await;
                    reach("claim.written");
                    claimed
                })
            })
            .await;
        reach("claim.committed");
        claimed
    }

    /// Puts a claimed call back; it is due again at `due`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn release(&self, call: CallId, claim_number: i64, due: DateTime<Utc>, reason: String) -> Result<(), DeskError> {
        let now = self.now();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { release(tx, call, claim_number, due, &reason, now).await })).await
    }

    /// All gates again, in one transaction and in fixed order, then the point of no return. An error
    /// means the commit is in doubt: the call must not be sent.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn arm(&self, request: ArmRequest) -> Result<Result<Armed, Refused>, DeskError> {
        let now = self.now();
        let rules = self.rules.clone();
        let clock = self.clock.clone();
        reach("arm.begin");
        let armed = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { arm(tx, &rules, request, now, clock.uptime()).await })).await;
        reach("arm.committed");
        armed
    }

    /// Asks for a hang-up; an engine acts on the row. A call not yet on the line is taken out of the queue.
    ///
    /// # Errors
    /// When there is no such call, or it has ended.
    pub async fn hang_up(&self, actor: Actor, call: CallId) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.call(call).await?.filter(|r| r.user_id == actor.owner).ok_or(DeskError::NotFound("call"))?;
                    if row.state.is_ended() {
                        return Err(Refusal::new("state", format!("the call has ended ({})", row.state.words())).into());
                    }
                    if row.state == State::Pending {
                        return Err(Refusal::new("state", "the call is still in the queue: stop or pause its campaign").into());
                    }
                    tx.request_hangup(call, now).await?;
                    audit(tx, &actor, now, "hangup_requested", Some(call.0), &serde_json::json!({})).await
                })
            })
            .await
    }

    /// At the start of an engine on this host: claims of earlier runs are released, armed calls
    /// become unknown, open ones are taken over. Answers the rooms of the released claims (to be
    /// deleted) and how many calls were taken over.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take_over(&self, installation: Installation, mine: Incarnation) -> Result<(Vec<String>, usize), DeskError> {
        let now = self.now();
        // From this commit on no other engine claims or arms: one that was stopped and wakes up finds itself replaced.
        let others = self
            .store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.put_setting("leader", &mine.to_string()).await?;
                    Ok::<_, DeskError>(tx.calls_of_others(mine).await?)
                })
            })
            .await?;
        let mut rooms = Vec::new();
        let mut open = 0;
        for row in others {
            if row.state == State::Claimed {
                rooms.push(room_name(&installation, row.id, row.claim_number));
                self.release(row.id, row.claim_number, now, "the engine restarted".to_owned()).await?;
                continue;
            }
            open += 1;
            if row.reply_pending {
                let event = CallEvent {
                    key: format!("engine:{mine}:restart:{}", row.id),
                    target: Target::Call(row.id),
                    source: Source::Engine,
                    at: now,
                    kind: Kind::ReplyLost { why: "the engine restarted while the call was being placed".to_owned() },
                    raw: serde_json::Value::Null,
                };
                self.record(event).await?;
            }
        }
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok::<_, DeskError>(tx.adopt(mine).await?) })).await?;
        Ok((rooms, open))
    }

    /// Claims whose lease ran out go back into the queue; answers their rooms.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn release_expired(&self, installation: Installation, rows: &[CallRow]) -> Result<Vec<String>, DeskError> {
        let now = self.now();
        let mut rooms = Vec::new();
        for row in rows.iter().filter(|r| r.state == State::Claimed && r.lease_until.is_none_or(|t| t < now)) {
            self.release(row.id, row.claim_number, now, "the claim ran out".to_owned()).await?;
            rooms.push(room_name(&installation, row.id, row.claim_number));
        }
        Ok(rooms)
    }
}

/// Renders the scripts of claimed rows. A row whose contact lacks a field is ended, one whose place is
/// closed by law goes back, before any room exists.
async fn prepare(
    tx: &mut Tx,
    rules: &Rules,
    installation: Installation,
    campaign: &std::sync::Arc<CampaignRow>,
    rows: Vec<CallRow>,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, DeskError> {
    let ids: Vec<ContactId> = rows.iter().filter_map(|r| r.contact_id).collect();
    let contacts = if ids.is_empty() { Vec::new() } else { tx.contacts_by_id(&ids).await? };
    let mut contacts: HashMap<ContactId, _> = contacts.into_iter().map(|c| (c.id, (c.company, c.extra.0))).collect();
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let zones = zone::parse_key(&row.zones);
        let place = Place { number: &row.phone_number, country: &row.country, zones: zones.as_deref() };
        if let Err(refusal) = gate::number(place.number).and_then(|()| gate::legal_hours(rules, &place, now)) {
            turn_away(tx, row.id, row.claim_number, &refusal, now).await?;
            continue;
        }
        let (company, extra) = row.contact_id.and_then(|id| contacts.remove(&id)).unwrap_or_default();
        let fields = crate::domain::contact::script_fields(&row.contact_name, &row.contact_email, &company, &extra);
        match script::render(campaign.script(), &fields) {
            Ok(script) => claimed.push(Claimed {
                call: row.id,
                claim_number: row.claim_number,
                room: room_name(&installation, row.id, row.claim_number),
                number: row.phone_number,
                contact_name: row.contact_name,
                company,
                attempt: row.attempt,
                script,
                campaign: campaign.clone(),
            }),
            Err(missing) => end_unarmed(tx, row, State::Failed, &missing.to_string(), now).await?,
        }
    }
    Ok(claimed)
}

/// Ends a claimed call that no time will open a gate for.
async fn end_unarmed(tx: &mut Tx, mut row: CallRow, to: State, reason: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let before = stats::contribution(&tally(&row));
    (row.state, row.completed_at, row.charged, row.lease_until) = (to, Some(now), false, None);
    reason.clone_into(&mut row.reason);
    tx.update_calls(&[CallUpdate { row: &row }], now).await?;
    tx.add_counts(row.campaign_id, &(stats::contribution(&tally(&row)) - before)).await
}

async fn release(tx: &mut Tx, call: CallId, claim_number: i64, due: DateTime<Utc>, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    let Some(row) = tx.call(call).await? else { return Ok(()) };
    // A hang-up asked for while it was being prepared, or a stop: it does not go back.
    if row.state == State::Claimed && row.claim_number == claim_number {
        let campaign = tx.campaign(row.user_id, row.campaign_id).await?;
        let over = campaign.is_none_or(|c| matches!(c.execution_status, Status::Completed | Status::Idle));
        if over || row.hangup_requested_at.is_some() {
            let words = if over { "the campaign was stopped" } else { "hung up before it was dialled" };
            return Ok(end_unarmed(tx, row, State::Canceled, words, now).await?);
        }
    }
    if tx.release(call, claim_number, due, reason, now).await? {
        tx.add_counts(row.campaign_id, &Counts { pending: 1, processing: -1, ..Counts::default() }).await?;
    }
    Ok(())
}

async fn arm(tx: &mut Tx, rules: &Rules, request: ArmRequest, now: DateTime<Utc>, judged: std::time::Duration) -> Result<Result<Armed, Refused>, DeskError> {
    let claimed = &request.claimed;
    let campaign = &claimed.campaign;
    let day = schedule::local_day(campaign.zone(), now);
    let Some(facts) = tx.arm_facts(claimed.call, request.trunk, day, now - Duration::hours(24)).await? else {
        return Ok(Err(Refused::Lost));
    };
    let leads = facts.leader.as_ref().is_none_or(|l| *l == request.incarnation.to_string());
    if facts.state != State::Claimed || facts.claim_number != claimed.claim_number || facts.incarnation != Some(request.incarnation) || !leads {
        return Ok(Err(Refused::Lost));
    }
    let lines = if facts.any_without_agent { super::protect::lines(tx, &rules.breaker, campaign, now).await? } else { campaign.max_concurrent };
    if let Err(refusal) = judge(rules, campaign, lines, &facts, now) {
        return refuse(tx, claimed, refusal, now).await.map(Err);
    }
    take(tx, rules, &request, &facts, day, now, judged).await
}

/// Every gate, in the order of the contract.
fn judge(rules: &Rules, campaign: &CampaignRow, lines: i64, f: &ArmRow, now: DateTime<Utc>) -> Result<(), Refusal> {
    if f.hangup_requested_at.is_some() {
        return Err(Refusal::new("hangup", "hung up before it was dialled"));
    }
    if f.execution_status != Status::Running {
        return Err(Refusal::new("state", format!("the campaign is {}", f.execution_status.as_str())));
    }
    if f.generation != campaign.generation {
        return Err(Refusal { gate: "state", message: "the campaign was changed".to_owned(), until: Some(now) });
    }
    if f.kill_switch.as_deref() == Some("on") {
        return Err(Refusal::new("kill_switch", "the kill switch is on"));
    }
    if rules.real_phones && f.terms.is_none() {
        return Err(Refusal::new("terms", super::terms::WITHOUT_TERMS));
    }
    let zones = zone::parse_key(&f.zones);
    let from_trunk = f.trunk_countries.as_ref().map(|c| c.0.as_slice()).unwrap_or_default();
    let contact = ContactFacts {
        place: Place { number: &f.phone_number, country: &f.country, zones: zones.as_deref() },
        countries_allowed: if rules.countries.is_empty() { from_trunk } else { &rules.countries },
        on_do_not_call: f.on_do_not_call,
        consent_at: f.consent_at,
        national_list_at: f.national_list_at,
        dials_24h: f.dials_24h,
        oldest_24h: f.oldest_24h,
    };
    gate::contact(rules, &contact, now)?;
    let facts = campaign_facts(campaign, f.used_today.unwrap_or(0), f.live, f.next_call_at);
    gate::campaign(&CampaignFacts { max_concurrent: lines, ..facts }, now)?;
    let Some(trunk) = trunk_facts(rules, f) else {
        return Err(Refusal::new("trunk", "the assistant's outbound trunk is gone: assign its number again"));
    };
    gate::trunk(&trunk, now)?;
    let held = f.number_held_until.filter(|t| *t > now);
    if f.number_call.is_some() || held.is_some() {
        return Err(Refusal { gate: "number_busy", message: "number busy: another call to it is live or unproven".to_owned(), until: held });
    }
    Ok(())
}

/// The campaign's side of the gates.
pub(super) fn campaign_facts(c: &CampaignRow, used_today: i64, live: i64, next_call_at: Option<DateTime<Utc>>) -> CampaignFacts {
    CampaignFacts { window: c.window(), zone: c.zone(), used_today, daily_cap: c.daily_cap, live, max_concurrent: c.max_concurrent, next_call_at }
}

fn trunk_facts(rules: &Rules, f: &ArmRow) -> Option<TrunkFacts> {
    Some(TrunkFacts {
        live: f.trunk_live?,
        // A call found alive may have pushed the row's own limit up.
        max_live: f.trunk_max_live?.min(rules.trunk_concurrent),
        tokens: f.trunk_tokens?,
        refilled_at: f.trunk_refilled_at?,
        calls_per_second: rules.calls_per_second,
    })
}

/// What becomes of a claimed call whose gate is closed.
async fn refuse(tx: &mut Tx, claimed: &Claimed, refusal: Refusal, now: DateTime<Utc>) -> Result<Refused, DeskError> {
    match (refusal.gate, refusal.until) {
        // Only the pace: the room and the agent are kept for a moment.
        ("call_delay" | "trunk_rate", Some(at)) if at - now <= Duration::seconds(5) => return Ok(Refused::Wait(at)),
        ("concurrency" | "trunk_concurrency", None) => return Ok(Refused::Wait(now + Duration::seconds(1))),
        _ => {
            turn_away(tx, claimed.call, claimed.claim_number, &refusal, now).await?;
            let details =
                serde_json::json!({ "gate": refusal.gate, "message": refusal.message, "until": refusal.until, "rules": crate::domain::legal::version() });
            audit(tx, &Actor::engine(claimed.campaign.user_id), now, "call_not_armed", Some(claimed.call.0), &details).await?;
        }
    }
    Ok(Refused::Gate(refusal))
}

/// Ends a claimed call whose gate no time opens; any other goes back until its gate does.
async fn turn_away(tx: &mut Tx, call: CallId, claim_number: i64, refusal: &Refusal, now: DateTime<Utc>) -> Result<(), DeskError> {
    match (refusal.gate, refusal.until) {
        ("hangup" | "number" | "do_not_call" | "country" | "consent" | "contact_zone", _) | ("contact_hours", None) => {
            if let Some(row) = tx.call(call).await? {
                end_unarmed(tx, row, State::Canceled, &refusal.message, now).await?;
            }
            Ok(())
        }
        (_, until) => release(tx, call, claim_number, until.unwrap_or(now + RECHECK), &refusal.message, now).await,
    }
}

/// What the gates looked at when they let a call pass: "why did you call me, and when".
fn evidence(rules: &Rules, request: &ArmRequest, f: &ArmRow, now: DateTime<Utc>) -> serde_json::Value {
    let laws = crate::domain::legal::of(&f.country, &f.phone_number, rules.profile == gate::Profile::Us);
    let clocks: Vec<String> =
        zone::parse_key(&f.zones).unwrap_or_default().iter().map(|z| format!("{} {}", z.name(), now.with_timezone(z).format("%a %H:%M"))).collect();
    serde_json::json!({
        "attempt": request.claimed.attempt, "claim": request.claimed.claim_number, "trunk": request.livekit_trunk, "callerId": request.caller_id,
        "profile": rules.profile, "rules": crate::domain::legal::version(), "laws": laws.iter().map(|l| l.label()).collect::<Vec<_>>(),
        "contactClocks": clocks, "country": f.country, "doNotCall": f.on_do_not_call, "consentAt": f.consent_at, "dials24h": f.dials_24h,
        "usedToday": f.used_today.unwrap_or(0) + 1, "dailyCap": request.claimed.campaign.daily_cap, "live": f.live + 1,
        "maxConcurrent": request.claimed.campaign.max_concurrent, "generation": f.generation,
    })
}

/// Takes a dial of the day, a line and a token of the trunk, the number, and arms the call, in that
/// order. Whatever has no room left undoes all of it.
async fn take(
    tx: &mut Tx,
    rules: &Rules,
    request: &ArmRequest,
    f: &ArmRow,
    day: chrono::NaiveDate,
    now: DateTime<Utc>,
    judged: std::time::Duration,
) -> Result<Result<Armed, Refused>, DeskError> {
    let claimed = &request.claimed;
    let campaign = &claimed.campaign;
    let tokens = trunk_facts(rules, f).map_or(0.0, |t| t.tokens_at(now) - 1.0);
    let armed = crate::store::Armed {
        at: now,
        deadline: now + Duration::seconds(campaign.ring_timeout_s) + REPLY_MARGIN,
        day,
        room: claimed.room.clone(),
        trunk: request.trunk,
        caller_id: request.caller_id.clone(),
        script: claimed.script.clone(),
        ring_timeout_s: campaign.ring_timeout_s,
        max_call_duration_s: campaign.max_call_duration_s,
    };
    // The gates said yes in this same transaction; a no from here on is a broken invariant.
    let mut taken = tx.take_day(campaign.id, day, campaign.daily_cap).await?;
    reach("arm.day");
    taken = taken && tx.take_trunk_line(request.trunk, rules.trunk_concurrent, tokens, now).await?;
    reach("arm.trunk");
    taken = taken && tx.take_number(&claimed.number, claimed.call, now).await?;
    reach("arm.number");
    taken = taken && tx.arm(claimed.call, claimed.claim_number, request.incarnation, &armed).await?;
    reach("arm.row");
    if !taken {
        return Err(DeskError::Conflict("the call could not be armed: another engine was quicker".to_owned()));
    }
    let next = (campaign.call_delay_ms > 0).then(|| now + Duration::milliseconds(campaign.call_delay_ms));
    tx.count_dial(campaign.id, next, now).await?;
    let details = evidence(rules, request, f, now);
    audit(tx, &Actor::engine(f.user_id), now, "call_armed", Some(claimed.call.0), &details).await?;
    reach("arm.written");
    Ok(Ok(Armed {
        call: claimed.call,
        room: claimed.room.clone(),
        number: claimed.number.clone(),
        contact_name: claimed.contact_name.clone(),
        livekit_trunk: request.livekit_trunk.clone(),
        caller_id: request.caller_id.clone(),
        ring_timeout_s: campaign.ring_timeout_s,
        max_call_duration_s: campaign.max_call_duration_s,
        at: now,
        judged,
    }))
}
