//! LiveKit answers and its SIP service does not. Only a dial that reached SIP ends it: lists are answered
//! without. One dial at a step is the trial; meanwhile no agent is called.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::backoff;
use crate::{
    domain::id::{CampaignId, OwnerId},
    telephony::CarrierError,
};

/// So long campaigns wait for a SIP service before it is an error of configuration.
const LIMIT: Duration = Duration::seconds(60);

/// A trial dial that has told nothing by then makes room for another: an agent or a gate was in its way.
const TRIAL: Duration = Duration::seconds(30);

pub struct NoSip {
    error: CarrierError,
    pub since: DateTime<Utc>,
    step: usize,
    until: DateTime<Utc>,
    trial_until: Option<DateTime<Utc>>,
    /// Those whose dials it turned away.
    campaigns: HashMap<CampaignId, OwnerId>,
}

/// What a dial that was turned away means.
pub struct TurnedAway {
    /// It was the trial: words for every console.
    pub news: Option<String>,
    /// The limit has passed: these campaigns cannot go on.
    pub over: HashMap<CampaignId, OwnerId>,
}

impl NoSip {
    pub fn new(error: CarrierError, now: DateTime<Utc>) -> Self {
        Self { error, since: now, step: 0, until: now, trial_until: None, campaigns: HashMap::new() }
    }

    pub fn words(&self) -> String {
        self.error.to_string()
    }

    /// Between two trials.
    pub fn waits(&self, now: DateTime<Utc>) -> bool {
        self.until > now
    }

    /// Until when nothing may be tried, a trial under way included.
    pub fn closed_until(&self) -> DateTime<Utc> {
        self.trial_until.map_or(self.until, |t| t.max(self.until))
    }

    /// Whether a call may be prepared, as the trial.
    pub fn may_try(&mut self, now: DateTime<Utc>) -> bool {
        let open = self.closed_until() <= now;
        if open {
            self.trial_until = Some(now + TRIAL);
        }
        open
    }

    /// A dial was turned away: the wait grows from trial to trial.
    pub fn turns_away(&mut self, campaign: CampaignId, owner: OwnerId, now: DateTime<Utc>) -> TurnedAway {
        self.campaigns.insert(campaign, owner);
        let verdict = !self.waits(now);
        if verdict {
            let wait = backoff(self.step);
            // A trial falls on the end of the limit.
            let limit = self.since + LIMIT;
            self.until = if now < limit { (now + wait).min(limit) } else { now + wait };
            self.step += 1;
            self.trial_until = None;
        }
        let over = if now - self.since >= LIMIT { std::mem::take(&mut self.campaigns) } else { HashMap::new() };
        TurnedAway { news: verdict.then(|| self.words()), over }
    }
}
