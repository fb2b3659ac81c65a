//! Calls between their claim and their arm, in this engine's hands: counted, so that no agent is called
//! for a line that does not exist.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::domain::id::{CampaignId, TrunkId};

#[derive(Debug, Default)]
pub(super) struct Preparing {
    campaigns: HashMap<CampaignId, i64>,
    trunks: HashMap<TrunkId, i64>,
    disagreed: HashMap<CampaignId, DateTime<Utc>>,
}

impl Preparing {
    pub fn begin(&mut self, campaign: CampaignId, trunk: TrunkId) {
        *self.campaigns.entry(campaign).or_default() += 1;
        *self.trunks.entry(trunk).or_default() += 1;
    }

    pub fn end(&mut self, campaign: CampaignId, trunk: TrunkId) {
        less(&mut self.campaigns, &campaign);
        less(&mut self.trunks, &trunk);
    }

    /// How many there are, by campaign and by trunk.
    pub fn counts(&self) -> (HashMap<CampaignId, i64>, HashMap<TrunkId, i64>) {
        (self.campaigns.clone(), self.trunks.clone())
    }

    pub fn is_empty(&self) -> bool {
        self.campaigns.is_empty()
    }

    /// Arm found a gate of the campaign closed that was open when the call was claimed.
    pub fn disagree(&mut self, campaign: CampaignId, now: DateTime<Utc>) {
        self.disagreed.insert(campaign, now);
    }

    /// When that was seen last.
    pub fn disagreed(&self, campaign: CampaignId) -> Option<DateTime<Utc>> {
        self.disagreed.get(&campaign).copied()
    }
}

fn less<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, i64>, key: &K) {
    if let Some(n) = counts.get_mut(key) {
        *n -= 1;
        if *n <= 0 {
            counts.remove(key);
        }
    }
}
