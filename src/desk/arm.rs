//! Arm: all gates again, in one transaction, on the moment of that transaction, then the point of no
//! return. Only here is an [`Armed`] made, and only an [`Armed`] can be dialled.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::{
    Actor, Desk, DeskError, audit,
    board::{campaign_facts, trunk_facts},
    claim::{Claimed, judge_contact, place_key, turn_away},
};
use crate::{
    domain::{
        call::State,
        campaign::Status,
        dispatch::{self, CampaignFacts, Closed, Closes, Gate, History, InstallationFacts},
        id::{CallId, Incarnation},
        legal,
        rules::Rules,
        schedule, zone,
    },
    failpoint::reach,
    store::{ArmRow, CampaignRow, Lane, Tx},
};

/// A call that may be dialled, once: made only by [`Desk::arm`], taken by value by the dialler.
#[derive(Debug)]
pub struct Armed {
    pub claimed: Claimed,
    pub at: DateTime<Utc>,
    /// The host's uptime when the gates were judged.
    pub judged: std::time::Duration,
    /// Nobody else can make one.
    _seal: Seal,
}

#[derive(Debug)]
struct Seal;

/// Why a claimed call was not armed.
#[derive(Debug, Clone)]
pub enum Refused {
    /// The same claim may be armed when this gate opens: only the pace is in the way.
    Wait(Closed),
    /// A gate is closed; the row is back in the queue (or ended, where no time opens the gate).
    Gate(Closed),
    /// The claim no longer holds the call.
    Lost,
}

/// The dial request's reply is waited for this long beyond the ringing timeout.
pub const REPLY_MARGIN: Duration = Duration::seconds(20);

/// Who is prepared waits for the pace if it lets it pass within this; else the claim goes back.
const PACE: Duration = Duration::seconds(5);

/// A free line tells nobody: it is looked for again after this.
const LINE: Duration = Duration::seconds(1);

/// A job that changed nothing: undone, so that no bell rings for it.
enum Unarmed {
    Wait(Closed),
    Lost,
    Desk(DeskError),
}

impl<E: Into<DeskError>> From<E> for Unarmed {
    fn from(e: E) -> Self {
        Self::Desk(e.into())
    }
}

impl Desk {
    /// All gates again, in one transaction and in fixed order, then the point of no return. An error
    /// means the commit is in doubt: the call must not be sent.
    pub async fn arm(&self, claimed: Claimed, incarnation: Incarnation) -> Result<Result<Armed, Refused>, DeskError> {
        let (rules, clock) = (self.rules.clone(), self.clock.clone());
        let asked = clock.uptime();
        reach("arm.begin");
        // The moment is that of the transaction: it may have waited for its turn.
        let job = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { arm(tx, &rules, claimed, incarnation, clock.now(), clock.uptime()).await }));
        let armed = job.await;
        reach("arm.committed");
        self.measure(&armed, asked);
        match armed {
            Ok(answer) => {
                if let Ok(armed) = &answer {
                    self.remember(armed.claimed.call, &armed.claimed.number, armed.at);
                }
                Ok(answer.map_err(Refused::Gate))
            }
            Err(Unarmed::Wait(closed)) => Ok(Err(Refused::Wait(closed))),
            Err(Unarmed::Lost) => Ok(Err(Refused::Lost)),
            Err(Unarmed::Desk(e)) => Err(e),
        }
    }

    fn measure(&self, armed: &Result<Result<Armed, Closed>, Unarmed>, asked: std::time::Duration) {
        match armed {
            Ok(Ok(_)) => {
                self.meters.dials.inc();
                self.meters.arm.observe(self.clock.uptime().saturating_sub(asked).as_secs_f64());
            }
            Ok(Err(closed)) => self.meters.refused(closed.gate.word()),
            Err(_) => {}
        }
    }
}

async fn arm(
    tx: &mut Tx,
    rules: &Rules,
    claimed: Claimed,
    incarnation: Incarnation,
    now: DateTime<Utc>,
    judged: std::time::Duration,
) -> Result<Result<Armed, Closed>, Unarmed> {
    let (campaign, way) = (&claimed.campaign, &claimed.outgoing);
    let day = schedule::local_day(campaign.zone(), now);
    let Some(facts) = tx.arm_facts(claimed.call, campaign, way.trunk, &way.caller_id, day, now - History::REACH).await? else {
        return Err(Unarmed::Lost);
    };
    let leads = facts.leader.as_ref().is_none_or(|l| *l == incarnation.to_string());
    if facts.state != State::Claimed || facts.claim_number != claimed.claim_number || facts.incarnation != Some(incarnation) || !leads {
        return Err(Unarmed::Lost);
    }
    let brake = if facts.any_without_agent { super::protect::brake(tx, &rules.breaker, campaign.id, now).await? } else { None };
    let whose = if claimed.by_hand { Whose::Asked { has_script: !claimed.script.trim().is_empty() } } else { Whose::Campaign };
    if tx.went_back() {
        return refuse(tx, &claimed, Closed::new(Gate::KillSwitch, super::WENT_BACK), now).await.map(Err);
    }
    if let Err(closed) = judge(rules, campaign, whose, brake, &facts, now) {
        return refuse(tx, &claimed, closed, now).await.map(Err);
    }
    take(tx, rules, &claimed, incarnation, &facts, day, now).await?;
    Ok(Ok(Armed { claimed, at: now, judged, _seal: Seal }))
}

/// Who wants the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The campaign, while it runs.
    Campaign,
    /// Somebody who asked for it, in whatever state the campaign is; perhaps with a script of its own.
    Asked { has_script: bool },
}

/// Every gate of the one decision, over what was read in this transaction.
pub(super) fn judge(rules: &Rules, campaign: &CampaignRow, whose: Whose, brake: Option<String>, f: &ArmRow, now: DateTime<Utc>) -> Result<(), Closed> {
    if f.hangup_requested_at.is_some() {
        return Err(Closed::new(Gate::HangUp, "hung up before it was dialled"));
    }
    let asked = whose != Whose::Campaign;
    // Who stops or pauses a campaign stops what was asked for before; what is asked for afterwards is another word.
    if (asked || f.execution_status == Status::Running) && f.generation != campaign.generation {
        return Err(Closed::new(Gate::State, "the campaign was changed").until(now));
    }
    let kill_switch = f.kill_switch.as_ref().map(|_| f.kill_switch_reason.clone().unwrap_or_default());
    dispatch::installation(&InstallationFacts { kill_switch, terms_missing: rules.real_phones && f.terms.is_none(), unwell: None })?;
    let trunk = trunk_facts(rules, &f.trunk);
    let own = campaign_facts(campaign, f.used_today.unwrap_or(0), f.live, f.next_call_at);
    let facts = CampaignFacts {
        status: f.execution_status,
        national_list_at: f.national_list_at,
        brake,
        by_hand: asked,
        has_script: if let Whose::Asked { has_script } = whose { has_script } else { own.has_script },
        ..own
    };
    if trunk.is_none() {
        dispatch::trunk(None, now)?;
    }
    dispatch::campaign(rules, &facts, now)?;
    judge_contact(rules, &f.contact, trunk.as_ref().map(|t| t.countries.as_slice()).unwrap_or_default(), now)?;
    // The pace last: who would be refused anyway must not wait for it with an agent in the room.
    dispatch::campaign_pace(&facts, now)?;
    dispatch::trunk(trunk.as_ref(), now)
}

/// What becomes of a claimed call whose gate is closed: for a moment the room and the agent are kept.
async fn refuse(tx: &mut Tx, claimed: &Claimed, closed: Closed, now: DateTime<Utc>) -> Result<Closed, Unarmed> {
    if closed.gate.closes() == Closes::Pace {
        let at = closed.until.unwrap_or(now + LINE);
        if at - now <= PACE {
            return Err(Unarmed::Wait(closed.until(at)));
        }
    }
    if let Some(row) = tx.call(claimed.call).await? {
        turn_away(tx, &row, &closed, now).await?;
    }
    Ok(closed)
}

/// Takes a dial of the day, a line and a token of the trunk, the number, and arms the call, in that
/// order. Whatever has no room left undoes all of it.
async fn take(
    tx: &mut Tx,
    rules: &Rules,
    claimed: &Claimed,
    incarnation: Incarnation,
    f: &ArmRow,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(), DeskError> {
    let (campaign, way) = (&claimed.campaign, &claimed.outgoing);
    let tokens = trunk_facts(rules, &f.trunk).map_or(0.0, |t| t.tokens_at(now) - 1.0);
    let armed = crate::store::Armed {
        call: claimed.call,
        claim_number: claimed.claim_number,
        incarnation,
        campaign: campaign.id,
        at: now,
        deadline: now + Duration::seconds(campaign.ring_timeout_s) + REPLY_MARGIN,
        next: (campaign.call_delay_ms > 0).then(|| now + Duration::milliseconds(campaign.call_delay_ms)),
        day,
        cap: campaign.daily_cap,
        trunk: way.trunk,
        lines: rules.trunk_concurrent,
        tokens,
        number: claimed.number.clone(),
        room: claimed.room.clone(),
        caller_id: way.caller_id.clone(),
        script: claimed.script.clone(),
        ring_timeout_s: campaign.ring_timeout_s,
        max_call_duration_s: campaign.max_call_duration_s,
    };
    reach("arm.judged");
    // The gates said yes in this same transaction; a no from here on is a broken invariant.
    if !tx.arm(&armed).await? {
        return Err(DeskError::Conflict("the call could not be armed: another engine was quicker".to_owned()));
    }
    reach("arm.taken");
    let details = evidence(rules, claimed, f, now);
    audit(tx, &Actor::engine(campaign.user_id), now, "call_armed", Some(claimed.call.0), &details).await?;
    reach("arm.written");
    Ok(())
}

/// What the gates looked at when they let a call pass: "why did you call me, and when".
fn evidence(rules: &Rules, claimed: &Claimed, f: &ArmRow, now: DateTime<Utc>) -> serde_json::Value {
    let (campaign, c) = (&claimed.campaign, &f.contact);
    let key = place_key(c);
    let places = legal::places(&c.country, &c.phone_number, zone::states_of(&key));
    let laws = rules.reading().map(|r| legal::of(&places, r)).unwrap_or_default();
    let history = c.history();
    let clocks: Vec<String> =
        zone::parse_key(&key).unwrap_or_default().iter().map(|z| format!("{} {}", z.name(), now.with_timezone(z).format("%a %H:%M"))).collect();
    let mut evidence = serde_json::json!({
        "attempt": claimed.attempt, "claim": claimed.claim_number, "trunk": claimed.outgoing.livekit_trunk, "callerId": claimed.outgoing.caller_id,
        "profile": rules.profile, "rules": crate::domain::legal::version(), "timeZones": zone::version(), "laws": laws.iter().map(|l| l.label()).collect::<Vec<_>>(),
        "contactClocks": clocks, "country": c.country, "doNotCall": c.on_do_not_call, "consentAt": c.consent_at(), "dials": history.dials, "talkedAt": history.talked_at,
        "usedToday": f.used_today.unwrap_or(0) + 1, "dailyCap": campaign.daily_cap, "live": f.live + 1,
        "maxConcurrent": campaign.max_concurrent, "generation": f.generation,
    });
    if let (None, Some(known)) = (c.own_consent_at, &c.known_consent) {
        evidence["consentOf"] = serde_json::json!({ "contact": known.contact, "source": known.source });
    }
    evidence
}

impl Armed {
    #[must_use]
    pub fn call(&self) -> CallId {
        self.claimed.call
    }
}
