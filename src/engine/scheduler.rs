//! The scheduler: looks at every running campaign, does what the one decision says (claims, and hands what
//! it claimed to a dialler; ends; waits), and sleeps until the bell or the next moment something changes.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Duration, Utc};

use super::{
    calls::Calls,
    context::{Context, Stop},
    dialer::Dialler,
    health::Health,
    supervisor::Supervisor,
    timekeeper::Timekeeper,
};
use crate::{
    desk::{Actor, ClaimRequest, Claimed, DeskError, Hands, Look, Outgoing, TurnedAway},
    domain::{
        campaign::Status,
        dispatch::{Closed, Decision, Gate, InstallationFacts},
        id::{CampaignId, TrunkId},
        text::tail,
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

/// A campaign whose claimed call found a gate closed that the decision had found open is looked at again
/// after this: the two read the same rows a moment apart, and must not chase each other.
const DISAGREED: Duration = Duration::seconds(1);

/// A campaign that may begin calls.
struct Going {
    campaign: Arc<CampaignRow>,
    trunk: TrunkId,
    /// A call that was promised to a contact is due.
    promised: bool,
}

pub(super) struct Scheduler {
    ctx: Arc<Context>,
    health: Arc<Health>,
    calls: Arc<Calls>,
    supervisor: Arc<Supervisor>,
    timekeeper: Arc<Timekeeper>,
    /// Who was served when, between two looks. What must survive is in the rows; this only makes it fair.
    hands: Hands,
    /// When a campaign was claimed for last.
    turns: HashMap<CampaignId, DateTime<Utc>>,
    /// Campaigns outside their hours, which are in no other row: until when, by which settings.
    asleep: HashMap<CampaignId, (i64, DateTime<Utc>)>,
}

impl Scheduler {
    pub fn new(ctx: Arc<Context>, health: Arc<Health>, calls: Arc<Calls>, supervisor: Arc<Supervisor>, timekeeper: Arc<Timekeeper>) -> Self {
        Self { ctx, health, calls, supervisor, timekeeper, hands: Hands::default(), turns: HashMap::new(), asleep: HashMap::new() }
    }

    pub async fn run(mut self, stop: Stop) {
        let (ctx, calls) = (self.ctx.clone(), self.calls.clone());
        let mut bell = ctx.desk.store().bell();
        let (mut ready, mut hold) = (self.health.ready(), stop.hold.subscribe());
        tokio::select! {
            biased;
            () = stop.drain.cancelled() => return,
            _ = ready.wait_for(|r| *r) => {}
        }
        loop {
            bell.borrow_and_update();
            let next = match self.look().await {
                Ok(next) => next,
                Err(e) => {
                    tracing::error!(target: "engine", error = %e, "the campaigns cannot be read: nothing is dialled meanwhile");
                    None
                }
            };
            let now = ctx.now();
            let wake = next.unwrap_or(now + TICK).clamp(now + REST, now + TICK);
            let rung = tokio::select! {
                biased;
                () = stop.drain.cancelled() => return,
                () = ctx.clock.sleep_until(wake) => false,
                () = calls.preparing.freed() => true,
                _ = hold.changed() => true,
                _ = bell.changed() => true,
            };
            if rung {
                tokio::select! {
                    biased;
                    () = stop.drain.cancelled() => return,
                    () = ctx.sleep(REST) => {}
                }
            }
        }
    }

    /// One look at all running campaigns; when to look again.
    async fn look(&mut self) -> Result<Option<DateTime<Utc>>, DeskError> {
        // The end of it rings.
        if self.health.may_not_dial() {
            return Ok(None);
        }
        let Some(installation) = self.installation().await? else { return Ok(Some(self.ctx.now() + CLOCK_LOOK)) };
        // Before the rows: a call that is armed in between is counted twice, never not at all.
        (self.hands.campaigns, self.hands.trunks) = self.calls.preparing.counts();
        let mut campaigns = self.ctx.desk.store().running_campaigns().await?;
        // Least recently served first: a trunk that is short is shared.
        campaigns.sort_by_key(|c| self.turns.get(&c.id).copied());
        self.forget(&campaigns);
        let now = self.ctx.now();
        let mut next = installation.unwell.as_ref().and_then(|(_, until)| *until);
        let mut going = Vec::new();
        for campaign in campaigns {
            let left = campaign.fill_position.is_some() || campaign.counts.pending + campaign.counts.processing > 0;
            if let Some((_, until)) = self.asleep.get(&campaign.id).filter(|(g, t)| left && *g == campaign.generation && *t > now) {
                next = Some(next.map_or(*until, |n| n.min(*until)));
                continue;
            }
            let id = campaign.id;
            match self.look_at(Arc::new(campaign), &installation).await {
                Ok((at, goes)) => {
                    next = next.into_iter().chain(at).min();
                    going.extend(goes);
                }
                // The others go on; this one is looked at again with the next tick.
                Err(e) => tracing::error!(target: "engine", campaign = %id, error = %e, "a campaign cannot be looked at: it dials nothing meanwhile"),
            }
        }
        let begun = self.begin(going, &installation).await?;
        Ok(next.into_iter().chain(begun).min())
    }

    /// Claims for the campaigns that may go: who has a promise due first, and of a trunk's room an even
    /// share for each.
    async fn begin(&mut self, mut going: Vec<Going>, installation: &InstallationFacts) -> Result<Option<DateTime<Utc>>, DeskError> {
        going.sort_by_key(|g| !g.promised);
        let trial = self.health.on_trial();
        going.truncate(if trial { 1 } else { going.len() });
        let mut next: Option<DateTime<Utc>> = None;
        let mut left: HashMap<TrunkId, usize> = HashMap::new();
        for g in &going {
            *left.entry(g.trunk).or_default() += 1;
        }
        for Going { campaign, trunk, .. } in going {
            // What those before have taken is not there any more.
            let look = self.ctx.desk.decide(&campaign, installation, &self.hands, None).await?;
            let sharers = left.get_mut(&trunk).map_or(1, |n| std::mem::replace(n, n.saturating_sub(1)).max(1));
            let (Decision::Go { zones, n, .. }, Some(outgoing)) = (look.decision, look.outgoing) else { continue };
            let room = look.board.trunk.map_or(n, |t| usize::try_from(t.max_live - t.live - t.preparing).unwrap_or(0));
            let n = if trial { 1 } else { n.min(room.div_ceil(sharers)) };
            let at = self.go(campaign, outgoing.into(), zones, n, look.board.now).await?;
            next = next.into_iter().chain(at).min();
        }
        Ok(next)
    }

    /// The gates of the installation as this engine knows them; `None` while the host's clock is wrong.
    async fn installation(&self) -> Result<Option<InstallationFacts>, DeskError> {
        if !self.timekeeper.is_right().await {
            return Ok(None);
        }
        // Whether campaigns run or not: words on a screen must not outlive what they tell of.
        self.health.look_at_network().await;
        let unwell = self.health.network_closed().map(|until| (String::new(), Some(until)));
        Ok(Some(InstallationFacts { unwell, ..self.ctx.desk.standing().await? }))
    }

    /// Of campaigns that run no more nothing is kept.
    fn forget(&mut self, running: &[CampaignRow]) {
        let runs = |id: &CampaignId| running.iter().any(|c| c.id == *id);
        self.turns.retain(|id, _| runs(id));
        self.asleep.retain(|id, _| runs(id));
        self.hands.served.retain(|(id, _), _| runs(id));
    }

    /// One campaign: fill, and what the decision says; when to look at it again, or that it may go.
    async fn look_at(&mut self, campaign: Arc<CampaignRow>, installation: &InstallationFacts) -> Result<(Option<DateTime<Utc>>, Option<Going>), DeskError> {
        let mut next = None;
        if campaign.fill_position.is_some() {
            self.ctx.desk.fill(campaign.user_id, campaign.id).await?;
            next = Some(self.ctx.now());
        }
        let no_agent = self.health.agent_closed(campaign.id).map(|until| (String::new(), Some(until)));
        let Look { decision, outgoing, .. } = self.ctx.desk.decide(&campaign, installation, &self.hands, no_agent).await?;
        match (decision, outgoing) {
            (Decision::Go { promised, .. }, Some(outgoing)) => return Ok((next, Some(Going { campaign, trunk: outgoing.trunk_id, promised }))),
            // Without a way out the decision never goes.
            (Decision::Go { .. }, None) => {}
            (Decision::Wait(closed), _) => next = next.into_iter().chain(self.wait(&campaign, &closed)).min(),
            (Decision::Ended(closed), _) => self.end_campaign(&campaign, closed).await?,
        }
        Ok((next, None))
    }

    fn wait(&mut self, campaign: &CampaignRow, closed: &Closed) -> Option<DateTime<Utc>> {
        if let (Gate::Hours, Some(until)) = (closed.gate, closed.until) {
            self.asleep.insert(campaign.id, (campaign.generation, until));
        }
        closed.until
    }

    async fn go(
        &mut self,
        campaign: Arc<CampaignRow>,
        outgoing: Outgoing,
        zones: Vec<String>,
        n: usize,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, DeskError> {
        if let Some(until) = self.calls.preparing.disagreed(campaign.id).map(|at| at + DISAGREED).filter(|t| *t > now) {
            return Ok(Some(until));
        }
        let preparing = self.hands.campaigns.get(&campaign.id).copied().unwrap_or(0);
        let room = self.ramp(&campaign, now).map_or(MOST, |most| usize::try_from(most - preparing).unwrap_or(0));
        if room == 0 {
            return Ok(Some(now + RAMP_LOOK));
        }
        let trunk = outgoing.trunk;
        let request = ClaimRequest {
            campaign: campaign.clone(),
            outgoing,
            zones,
            limit: n.min(MOST).min(room),
            incarnation: self.ctx.incarnation,
            lease: self.ctx.config.claim_lease,
        };
        let claims = self.ctx.desk.claim(self.ctx.installation, request).await?;
        for TurnedAway { number, zones, closed } in claims.turned_away {
            tracing::info!(target: "engine", gate = closed.gate.word(), "not dialled {}: {closed}", tail(&number));
            // It had its turn: a zone full of rows that may not be called must not hold up the others.
            self.hands.served.insert((campaign.id, zones), now);
        }
        self.turns.insert(campaign.id, now);
        for claimed in claims.ready {
            self.hands.served.insert((campaign.id, claimed.zones.clone()), now);
            *self.hands.campaigns.entry(campaign.id).or_default() += 1;
            *self.hands.trunks.entry(trunk).or_default() += 1;
            self.dialler(claimed).start();
        }
        Ok(None)
    }

    fn dialler(&self, claimed: Claimed) -> Dialler {
        let Self { ctx, health, calls, supervisor, .. } = self;
        Dialler { ctx: ctx.clone(), health: health.clone(), calls: calls.clone(), supervisor: supervisor.clone(), claimed }
    }

    /// How many prepares a campaign may have at once; `None` when it has been running for a while. A
    /// start that goes wrong must not take fifty contacts' agents with it.
    fn ramp(&self, campaign: &CampaignRow, now: DateTime<Utc>) -> Option<i64> {
        if now - campaign.status_at >= RAMP || !self.ctx.config.require_agent {
            self.calls.preparing.end_ramp(campaign.id);
            return None;
        }
        Some(self.calls.preparing.ramp(campaign.id))
    }

    /// The campaign is done, or its own configuration keeps it from going on.
    async fn end_campaign(&self, campaign: &CampaignRow, closed: Closed) -> Result<(), DeskError> {
        let done = closed.gate == Gate::Done;
        let (to, reason) = if done { (Status::Completed, campaign.counts.done_words()) } else { (Status::Error, closed.message) };
        let moved = self.ctx.desk.finish(Actor::engine(campaign.user_id), campaign.id, to, reason.clone()).await?;
        if moved && done {
            tracing::info!(target: "engine", campaign = %campaign.name, "campaign completed");
        } else if moved {
            tracing::error!(target: "engine", campaign = %campaign.name, "the campaign cannot go on: {reason}");
        }
        Ok(())
    }
}
