//! Campaigns that wait for an agent worker, each by itself.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::{STEPS, backoff};
use crate::domain::id::CampaignId;

#[derive(Default)]
pub struct AgentWaits(HashMap<CampaignId, Wait>);

#[derive(Clone, Copy)]
struct Wait {
    step: usize,
    until: DateTime<Utc>,
}

impl AgentWaits {
    /// No agent came: one step for all prepares that failed together. The wait, and whether it is the
    /// campaign's first.
    pub fn missed(&mut self, campaign: CampaignId, now: DateTime<Utc>) -> Option<(Duration, bool)> {
        let old = self.0.get(&campaign).copied();
        if old.is_some_and(|w| w.until > now) {
            return None;
        }
        let step = old.map_or(0, |w| (w.step + 1).min(STEPS - 1));
        let wait = backoff(step);
        self.0.insert(campaign, Wait { step, until: now + wait });
        Some((wait, old.is_none()))
    }

    /// An agent was seen: the next wait is the shortest again. Whether there was one.
    pub fn seen(&mut self, campaign: CampaignId) -> bool {
        self.0.remove(&campaign).is_some()
    }

    pub fn until(&self, campaign: CampaignId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.get(&campaign).map(|w| w.until).filter(|t| *t > now)
    }
}
