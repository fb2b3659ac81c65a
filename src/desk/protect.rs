//! What protects people from a campaign that goes wrong: the breaker, and calls without an agent.

use chrono::{DateTime, Duration, Utc};

use super::{Actor, Desk, DeskError, audit};
use crate::{
    domain::{
        breaker::{self, Limits},
        campaign::Status,
        contact::script_fields,
        id::{CallId, CampaignId, OwnerId},
        script::{self, NoScript},
        stats::Pace,
        text,
    },
    store::{CampaignRow, FillContact, Lane, Tx, minute_of},
};

/// What the audit says of a campaign that the breaker paused.
const OPENED: &str = "breaker_opened";
/// And of one that was paused because its script asks for what no contact has.
const WRONG_SCRIPT: &str = "script_is_wrong";

/// The window of trunk failures.
const TRUNK: Duration = Duration::minutes(2);
/// The window of doubts.
const DOUBT: Duration = Duration::minutes(5);
/// The window of calls without an agent, as the law counts them.
pub(super) const ABANDONED: Duration = Duration::days(30);
/// Whether a talk has an agent is known so long after the answer: the limit of two seconds, and a look.
pub(super) const JUDGED: Duration = Duration::seconds(5);

/// Pauses a campaign whose calls go wrong. What went wrong before somebody said "go on" is known to
/// whoever said it; calls without an agent are counted since the breaker opened last, for a pause at
/// night is no answer to them.
pub(super) async fn check(tx: &mut Tx, limits: &Limits, owner: OwnerId, campaign: CampaignId, now: DateTime<Utc>) -> Result<(), DeskError> {
    let Some(row) = tx.campaign(owner, campaign).await?.filter(|c| c.execution_status == Status::Running) else { return Ok(()) };
    let opened = tx.last_audit(campaign.0, OPENED).await?;
    // A moment ahead of now was written by a clock that was wrong.
    let since = |window: Duration, reset: Option<DateTime<Utc>>| reset.filter(|t| *t <= now).map_or(now - window, |t| t.max(now - window));
    let started = Some(row.status_at);
    let facts = tx.breaker_facts(owner, campaign, since(TRUNK, started), since(DOUBT, started), (since(ABANDONED, opened), now - JUDGED)).await?;
    let Some(words) = breaker::opens(limits, &facts) else { return Ok(()) };
    pause(tx, owner, campaign, OPENED, &words, now).await
}

async fn pause(tx: &mut Tx, owner: OwnerId, campaign: CampaignId, action: &str, words: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    if tx.move_campaign(campaign, Status::Running, Status::Paused, words, "breaker", now).await? {
        tracing::error!(target: "engine", campaign = %campaign, "{words}");
        audit(tx, &Actor::engine(owner), now, action, Some(campaign.0), &serde_json::json!({ "reason": words })).await?;
    }
    Ok(())
}

/// Why a campaign must make one call at a time, in words.
pub(super) async fn brake(tx: &mut Tx, limits: &Limits, campaign: CampaignId, now: DateTime<Utc>) -> Result<Option<String>, DeskError> {
    Ok(breaker::brakes(limits, &tx.without_agent(campaign, now - ABANDONED, now - JUDGED).await?))
}

/// So few contacts may all lack a field that others would have.
const FEW: usize = 10;
/// Contacts looked at.
const SAMPLE: i64 = 200;

impl Desk {
    /// In words, that a field which the script asks for is one of nobody's: the script is wrong then, not the contact,
    /// and to pass by one after the other would use up the list.
    pub(super) async fn wrong_script(&self, campaign: &CampaignRow, missing: &NoScript) -> Result<Option<String>, DeskError> {
        let (NoScript::Missing(field), Some(source)) = (missing, campaign.source_id()) else { return Ok(None) };
        let sample = self.store.sample_contacts(source, SAMPLE).await?;
        let has = |c: &FillContact| script_fields(&c.name, &c.email, &c.company, &c.fields).get(&script::key(field)).is_some_and(|v| !v.trim().is_empty());
        if sample.len() < FEW || sample.iter().any(has) {
            return Ok(None);
        }
        let field = text::clean(field, script::LONGEST_NAME);
        let nobody = format!("the script asks for {{{field}}}, which none of the first {} contacts has", sample.len());
        Ok(Some(format!("{nobody}: take it out, or write {{{field}|what is said instead}}, and resume")))
    }

    /// Pauses a campaign whose script is wrong.
    pub(super) async fn pause_for(&self, campaign: &CampaignRow, words: &str) -> Result<(), DeskError> {
        let (now, id, owner, words) = (self.now(), campaign.id, campaign.user_id, words.to_owned());
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { pause(tx, owner, id, WRONG_SCRIPT, &words, now).await })).await
    }

    /// Why a campaign makes one call at a time, when too many found no agent.
    pub async fn brake(&self, row: &CampaignRow) -> Result<Option<String>, DeskError> {
        let now = self.now();
        Ok(breaker::brakes(&self.rules.breaker, &self.store.without_agent(row.id, now - ABANDONED, now - JUDGED).await?))
    }

    /// Somebody answered and there is no agent: counted, and hung up.
    pub async fn abandon(&self, call: CallId) -> Result<(), DeskError> {
        let (now, limits) = (self.now(), self.rules.breaker);
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let Some(row) = tx.call(call).await?.filter(|r| !r.state.is_ended()) else { return Ok(()) };
                    if tx.set_abandoned(call, row.state, now).await? {
                        if let Some(armed) = row.armed_at {
                            let noted = Pace { abandoned: 1, ..Pace::default() };
                            tx.add_minutes([((row.campaign_id, minute_of(armed)), noted)].into()).await?;
                        }
                        tx.request_hangup(call, "engine", "engine", now).await?;
                        audit(tx, &Actor::engine(row.user_id), now, "call_abandoned", Some(call.0), &serde_json::json!({})).await?;
                        check(tx, &limits, row.user_id, row.campaign_id, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
