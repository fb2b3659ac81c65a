//! The scheduler: looks at every running campaign, claims what may begin now, hands it to a dialler,
//! and sleeps until the bell or the next moment something changes.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::{Engine, Stop};
use crate::{
    desk::{Actor, DeskError},
    domain::{
        campaign::Status,
        gate,
        pacing::{self, Load, Plan},
        schedule,
    },
    store::CampaignRow,
};

/// Looks at the rows at least this often. The bell rings when they change, by whatever process; this is
/// for a bell that was missed.
const TICK: Duration = Duration::seconds(10);

/// Between two looks at a clock that is wrong.
const CLOCK_LOOK: Duration = Duration::seconds(5);

/// Looks no more often than this, however often the bell rings.
const REST: Duration = Duration::milliseconds(25);

/// So long after its start a campaign's prepares grow from one, doubling each time one brings its agent.
const RAMP: Duration = Duration::seconds(30);
const RAMP_LOOK: Duration = Duration::milliseconds(200);

/// The most that is claimed for one campaign in one look.
const MOST: usize = 50;

impl Engine {
    pub(super) async fn schedule(self: Arc<Self>, stop: Stop) {
        let mut bell = self.desk.store().bell();
        let mut ready = self.ready.subscribe();
        tokio::select! {
            biased;
            () = stop.drain.cancelled() => return,
            _ = ready.wait_for(|r| *r) => {}
        }
        let mut turn = 0usize;
        loop {
            bell.borrow_and_update();
            let next = match self.look(turn).await {
                Ok(next) => next,
                Err(e) => {
                    tracing::error!(target: "engine", error = %e, "the campaigns cannot be read: nothing is dialled meanwhile");
                    None
                }
            };
            turn = turn.wrapping_add(1);
            let now = self.clock.now();
            let wake = next.unwrap_or(now + TICK).clamp(now + REST, now + TICK);
            tokio::select! {
                biased;
                () = stop.drain.cancelled() => return,
                () = self.clock.sleep_until(wake) => {}
                () = self.freed.notified() => {}
                _ = bell.changed() => {
                    tokio::select! {
                        biased;
                        () = stop.drain.cancelled() => return,
                        () = self.sleep(REST) => {}
                    }
                }
            }
        }
    }

    /// One look at all running campaigns, beginning with another each time; when to look again.
    async fn look(self: &Arc<Self>, turn: usize) -> Result<Option<DateTime<Utc>>, DeskError> {
        let mut campaigns = self.desk.store().running_campaigns().await?;
        if campaigns.is_empty() {
            return Ok(None);
        }
        if self.desk.store().setting("kill_switch").await?.as_deref() == Some("on") {
            return Ok(None);
        }
        match self.desk.refuse_without_terms().await {
            Err(DeskError::Refused(_)) => return Ok(None),
            other => other?,
        }
        if !self.clock_is_right().await {
            return Ok(Some(self.clock.now() + CLOCK_LOOK));
        }
        let n = campaigns.len();
        campaigns.rotate_left(turn % n);
        if self.must_look() {
            match self.carrier.check().await {
                Ok(()) => self.network_well().await,
                Err(e) => self.network_failed(&e).await,
            }
        }
        if let Some(until) = self.network_closed() {
            return Ok(Some(until));
        }
        let mut next: Option<DateTime<Utc>> = None;
        for campaign in campaigns {
            if let Some(at) = self.look_at(Arc::new(campaign)).await? {
                next = Some(next.map_or(at, |n| n.min(at)));
            }
        }
        Ok(next)
    }

    /// One campaign: fill, finish, or claim; when to look at it again.
    async fn look_at(self: &Arc<Self>, campaign: Arc<CampaignRow>) -> Result<Option<DateTime<Utc>>, DeskError> {
        let now = self.clock.now();
        if campaign.fill_position.is_some() {
            self.desk.fill(campaign.user_id, campaign.id).await?;
        } else if campaign.counts.pending + campaign.counts.processing == 0 {
            let reason = "all contacts were called".to_owned();
            if self.desk.finish(Actor::engine(campaign.user_id), campaign.id, Status::Completed, reason).await? {
                tracing::info!(target: "engine", campaign = %campaign.name, "campaign completed");
            }
            return Ok(None);
        }
        if let Some(until) = self.agent_closed(campaign.id) {
            return Ok(Some(until));
        }
        let again = if campaign.fill_position.is_some() { Some(now) } else { None };
        Ok(self.claim_for(campaign, now).await?.into_iter().chain(again).min())
    }

    async fn claim_for(self: &Arc<Self>, campaign: Arc<CampaignRow>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, DeskError> {
        let mut facts = gate::CampaignFacts {
            window: campaign.window(),
            zone: campaign.zone(),
            used_today: 0,
            daily_cap: campaign.daily_cap,
            live: 0,
            max_concurrent: campaign.max_concurrent,
            next_call_at: None,
        };
        // The hours first: most of the time they are all there is to know, and they are in no row.
        if let Err(closed) = gate::campaign(&facts, now) {
            return Ok(closed.until);
        }
        let day = schedule::local_day(campaign.zone(), now);
        let used = self.desk.store().campaign_day(campaign.id, day).await?.map_or(0, |d| d.used);
        facts.used_today = used;
        if let Err(closed) = gate::campaign(&facts, now) {
            return Ok(closed.until);
        }
        let heads = self.desk.store().zone_heads(campaign.id).await?;
        let mut open = Vec::new();
        let mut next: Option<DateTime<Utc>> = None;
        for head in heads {
            match self.desk.zone_opens(&head.zones, now.max(head.due)) {
                Some(at) if at <= now => open.push(head.zones),
                Some(at) => next = Some(next.map_or(at, |n| n.min(at))),
                // An unknown zone is claimed too: arm ends it with the reason.
                None if head.due <= now => open.push(head.zones),
                None => {}
            }
        }
        if open.is_empty() {
            return Ok(next);
        }
        let preparing = self.preparing.lock().get(&campaign.id).copied().unwrap_or(0);
        let braked = self.desk.brake(&campaign).await?.is_some();
        let load = Load {
            live: campaign.counts.live,
            preparing,
            max_concurrent: if braked { 1 } else { campaign.max_concurrent },
            call_delay_ms: campaign.call_delay_ms,
            next_call_at: campaign.next_call_at,
            due: i64::MAX / 4,
            cap_left: campaign.daily_cap - used,
        };
        match pacing::plan(now, &load) {
            Plan::Wait(at) => Ok(at.into_iter().chain(next).min()),
            Plan::Dial(n) => {
                let room = self.ramp(&campaign, now).map_or(MOST, |most| usize::try_from(most - preparing).unwrap_or(0));
                if room == 0 {
                    return Ok(Some(now + RAMP_LOOK));
                }
                self.begin(campaign, open, n.min(MOST).min(room)).await?;
                Ok(next)
            }
        }
    }

    /// How many prepares a campaign may have at once; `None` when it has been running for a while. A
    /// start that goes wrong must not take fifty contacts' agents with it.
    fn ramp(&self, campaign: &CampaignRow, now: DateTime<Utc>) -> Option<i64> {
        if now - campaign.status_at >= RAMP || !self.config.require_agent {
            self.ramps.lock().remove(&campaign.id);
            return None;
        }
        Some(*self.ramps.lock().entry(campaign.id).or_insert(1))
    }

    async fn begin(self: &Arc<Self>, campaign: Arc<CampaignRow>, zones: Vec<String>, n: usize) -> Result<(), DeskError> {
        let claimed = self.desk.claim(self.installation, campaign.clone(), zones, n, self.incarnation, self.config.claim_lease).await?;
        for claimed in claimed {
            *self.preparing.lock().entry(campaign.id).or_default() += 1;
            self.supervise("dialler", self.clone().dial(claimed));
        }
        Ok(())
    }
}
