//! One look at everything that the screen shows, and what beside the panes is wanted.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};

use crate::{
    desk::{Entry, Head},
    domain::{
        campaign::Status,
        id::{CallId, CampaignId},
        people::People,
        stats::Pace,
    },
    store::{Aside, AssistantRow, CampaignRow, PaneRow, SourceRow},
    telemetry::LogLine,
};

/// A campaign as the pane shows it.
#[derive(Debug, Clone)]
pub struct CampaignView {
    pub row: CampaignRow,
    pub used_today: i64,
    /// Open now by its own days and hours.
    pub open: bool,
}

/// One look at everything.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub at: DateTime<Utc>,
    pub campaigns: Vec<CampaignView>,
    pub live: Vec<PaneRow>,
    pub to_tag: Vec<PaneRow>,
    /// How many calls wait for a tag, of which those are the oldest.
    pub untagged: Option<i64>,
    /// Dials since the operator's day began, of the same look as the campaigns.
    pub today: Option<Pace>,
    /// What happened to people and campaigns, oldest first.
    pub happened: Arc<Vec<Arc<Entry>>>,
    pub logs: Vec<LogLine>,
    pub log_count: u64,
    pub errors: u64,
    /// What keeps the engine from dialling.
    pub health: String,
    pub kill_switch: bool,
    /// Why the program turned it on by itself; empty where somebody else did.
    pub kill_switch_why: String,
    /// Figures, lights, and what campaigns come to next: read every few seconds.
    pub head: Option<Arc<Head>>,
    /// Why the agent suggests what it does, of calls that wait for a tag or are shown.
    pub reasons: Arc<HashMap<CallId, String>>,
    /// Who tagged calls that have ended, and when their contacts are called again.
    pub asides: Arc<HashMap<CallId, Aside>>,
    pub last_failure: Option<(CampaignId, i64, i64, String)>,
    pub other_owners: i64,
    pub assistants: Vec<AssistantRow>,
    pub sources: Vec<SourceRow>,
    /// Assistants and lists were looked at: none are there where none are here.
    pub lists: bool,
}

/// What the tagging desk shows: on which call its cursor stands, and when its operator's day began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    pub call: Option<CallId>,
    pub today: DateTime<Utc>,
}

/// What beside the panes is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    pub detail: Option<CallId>,
    /// The tagging desk is open.
    pub judging: Option<Judged>,
    /// Lists for the new-campaign form.
    pub lists: bool,
    /// The least grave events; all where none is named.
    pub level: Option<tracing::Level>,
    /// Who looks, where that was said here.
    pub me: Option<String>,
}

impl Snapshot {
    /// Calls that may be on the line.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.live.iter().filter(|r| r.state.is_open()).count()
    }

    #[must_use]
    pub fn campaign(&self, id: CampaignId) -> Option<&CampaignView> {
        self.campaigns.iter().find(|c| c.row.id == id)
    }

    /// How many calls wait for a tag, of all campaigns.
    #[must_use]
    pub fn untagged(&self) -> i64 {
        self.untagged.unwrap_or_else(|| self.campaigns.iter().map(|c| c.row.counts.untagged).sum())
    }

    /// Where the people of a campaign stand.
    #[must_use]
    pub fn people(&self, c: &CampaignView) -> People {
        let counted = self.head.as_ref().and_then(|h| h.people.get(&c.row.id)).copied();
        counted.unwrap_or_else(|| People::of_calls(&c.row.counts))
    }

    /// How many campaigns are so.
    #[must_use]
    pub fn campaigns_in(&self, status: Status) -> usize {
        self.campaigns.iter().filter(|c| c.row.execution_status == status).count()
    }

    /// Whether the other draws the same.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        let (a, b) = (self, other);
        let of_list = |s: &SourceRow| (s.id, s.contacts, s.do_not_call);
        let alike = |x: &CampaignView, y: &CampaignView| {
            (x.row.id, &x.row.counts, x.row.generation, x.row.execution_status, x.used_today, x.open)
                == (y.row.id, &y.row.counts, y.row.generation, y.row.execution_status, y.used_today, y.open)
                && (&x.row.name, &x.row.status_reason, x.row.max_concurrent, x.row.daily_cap)
                    == (&y.row.name, &y.row.status_reason, y.row.max_concurrent, y.row.daily_cap)
        };
        a.live == b.live
            && a.to_tag == b.to_tag
            && (a.untagged, a.today) == (b.untagged, b.today)
            && a.log_count == b.log_count
            && Arc::ptr_eq(&a.happened, &b.happened)
            && a.health == b.health
            && (a.kill_switch, &a.kill_switch_why) == (b.kill_switch, &b.kill_switch_why)
            && a.head == b.head
            && a.reasons == b.reasons
            && a.asides == b.asides
            && a.last_failure == b.last_failure
            && a.assistants.len() == b.assistants.len()
            && a.sources.iter().map(of_list).eq(b.sources.iter().map(of_list))
            && a.campaigns.len() == b.campaigns.len()
            && a.campaigns.iter().zip(&b.campaigns).all(|(x, y)| alike(x, y))
    }
}
