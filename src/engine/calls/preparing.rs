//! Calls between their claim and their arm: counted, so that no agent is called for a line that does not
//! exist, and begun one by one where a campaign has only just started.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::id::{CallId, CampaignId, TrunkId};

#[derive(Default)]
pub struct Preparing {
    state: Mutex<State>,
    /// A call is off the count, without a commit that would ring the scheduler's bell.
    freed: Notify,
}

#[derive(Default)]
struct State {
    calls: HashMap<CallId, (CampaignId, TrunkId)>,
    /// How many a campaign may have at once in its first seconds.
    ramps: HashMap<CampaignId, i64>,
    disagreed: HashMap<CampaignId, DateTime<Utc>>,
}

impl Preparing {
    pub fn begin(&self, call: CallId, campaign: CampaignId, trunk: TrunkId) {
        self.state.lock().calls.insert(call, (campaign, trunk));
    }

    pub fn end(&self, call: CallId) {
        self.state.lock().calls.remove(&call);
        self.freed.notify_one();
    }

    pub fn has(&self, call: CallId) -> bool {
        self.state.lock().calls.contains_key(&call)
    }

    pub fn is_empty(&self) -> bool {
        self.state.lock().calls.is_empty()
    }

    /// How many there are, by campaign and by trunk.
    pub fn counts(&self) -> (HashMap<CampaignId, i64>, HashMap<TrunkId, i64>) {
        let (mut campaigns, mut trunks) = (HashMap::new(), HashMap::new());
        for (campaign, trunk) in self.state.lock().calls.values() {
            *campaigns.entry(*campaign).or_default() += 1;
            *trunks.entry(*trunk).or_default() += 1;
        }
        (campaigns, trunks)
    }

    /// Resolves when a call has come off the count.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// How many a campaign that has just started may have at once: one, and twice as many each time one
    /// brings its agent.
    pub fn ramp(&self, campaign: CampaignId) -> i64 {
        *self.state.lock().ramps.entry(campaign).or_insert(1)
    }

    pub fn end_ramp(&self, campaign: CampaignId) {
        self.state.lock().ramps.remove(&campaign);
    }

    pub fn brought_its_agent(&self, campaign: CampaignId) {
        if let Some(most) = self.state.lock().ramps.get_mut(&campaign) {
            *most = most.saturating_mul(2);
        }
    }

    /// Arm found a gate of the campaign closed that was open when the call was claimed.
    pub fn disagree(&self, campaign: CampaignId, now: DateTime<Utc>) {
        self.state.lock().disagreed.insert(campaign, now);
    }

    /// When that was seen last.
    pub fn disagreed(&self, campaign: CampaignId) -> Option<DateTime<Utc>> {
        self.state.lock().disagreed.get(&campaign).copied()
    }
}
