//! The doctor: looks at everything that must be right before a call can be made, and says what is wrong
//! with the way out. Small checks in one table, for the command line and, later, a screen. It dials nobody.
//! All it does beside looking is a mark in the database, to see that it can be written, and a room at
//! LiveKit, to see whether an agent comes: the room is taken away again.

mod agents;
mod campaigns;
mod installation;
mod lines;
mod network;
mod server;
mod twilio;

use std::{path::PathBuf, pin::Pin};

pub use network::tried;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    config::Config,
    desk::Desk,
    domain::{
        id::OwnerId,
        system::{Light, Mend, System},
    },
    telephony::livekit::{Exam, LiveKit},
};

/// What is examined.
pub struct Patient {
    pub config: Config,
    /// `None` where there is no database yet.
    pub desk: Option<Desk>,
    /// Whose campaigns and numbers.
    pub owners: Vec<OwnerId>,
    /// `None` where none is configured.
    pub livekit: Option<(LiveKit, Exam)>,
    /// When it was asked, by this host's clock.
    pub asked_at: Option<DateTime<Utc>>,
    /// Files with secrets or numbers that everybody on the host may read.
    pub open_files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Good,
    /// Calls can be made, but somebody should know.
    Warning,
    /// Calls cannot be made, or not all of them.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A machine's word for what was found, the same in every release.
    pub code: &'static str,
    pub verdict: Verdict,
    pub what: String,
    /// What to do; empty where nothing is to be done.
    pub way_out: String,
}

impl Finding {
    pub fn good(code: &'static str, what: impl Into<String>) -> Self {
        Self { code, verdict: Verdict::Good, what: what.into(), way_out: String::new() }
    }

    pub fn warning(code: &'static str, what: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { code, verdict: Verdict::Warning, what: what.into(), way_out: way_out.into() }
    }

    pub fn bad(code: &'static str, what: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { code, verdict: Verdict::Bad, what: what.into(), way_out: way_out.into() }
    }
}

/// What somebody at a screen can do about a finding.
const MENDS: &[(&str, Mend)] = &[
    ("livekit_unset", Mend::SetLiveKit),
    ("livekit_secret", Mend::SetLiveKit),
    ("livekit_away", Mend::SetLiveKit),
    ("livekit_other", Mend::SetLiveKit),
    ("kill_switch", Mend::ReleaseKillSwitch),
    ("terms", Mend::AcceptTerms),
    ("no_trunk", Mend::AssignNumber),
    ("trunk_gone", Mend::AssignNumber),
    ("trunk_address", Mend::AssignNumber),
    ("trunk_numbers", Mend::AssignNumber),
    ("trunk_unknown", Mend::AssignNumber),
    ("inbound_trunk_gone", Mend::AssignNumber),
    ("no_rule", Mend::AssignNumber),
    ("no_campaign", Mend::NewCampaign),
    ("campaign_error", Mend::StartCampaign),
    ("campaign_paused", Mend::StartCampaign),
];

impl Finding {
    /// As a screen shows it, under the name of its check.
    #[must_use]
    pub fn system(self, check: &'static str) -> System {
        let light = match self.verdict {
            Verdict::Good => return System::good(check, self.what),
            Verdict::Warning => Light::Warning,
            Verdict::Bad => Light::Bad,
        };
        let mend = MENDS.iter().find(|(code, _)| *code == self.code).map_or(Mend::ReadOn, |(_, mend)| *mend);
        System::other(check, light, self.what, mend, self.way_out)
    }
}

type Findings<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + Send + 'a>>;

/// One check: its name, and how it is made.
pub struct Check {
    pub name: &'static str,
    pub make: for<'a> fn(&'a Patient) -> Findings<'a>,
}

/// All of them, in the order in which one thing needs another.
pub const CHECKS: &[Check] = &[
    Check { name: "configuration", make: |p| Box::pin(async { installation::configuration(p) }) },
    Check { name: "files", make: |p| Box::pin(async { installation::files(p) }) },
    Check { name: "database", make: |p| Box::pin(installation::database(p)) },
    Check { name: "dialling", make: |p| Box::pin(installation::dialling(p)) },
    Check { name: "LiveKit", make: |p| Box::pin(async { network::reach(p) }) },
    Check { name: "clock", make: |p| Box::pin(async { network::clock(p) }) },
    Check { name: "SIP", make: |p| Box::pin(async { network::sip(p) }) },
    Check { name: "numbers and trunks", make: |p| Box::pin(lines::trunks(p)) },
    Check { name: "calls that come in", make: |p| Box::pin(lines::ways_in(p)) },
    Check { name: "last dials", make: |p| Box::pin(lines::last_dials(p)) },
    Check { name: "agent worker", make: |p| Box::pin(agents::workers(p)) },
    Check { name: "public URL", make: |p| Box::pin(twilio::public_url(p)) },
    Check { name: "Twilio", make: |p| Box::pin(twilio::account(p)) },
    Check { name: "campaigns", make: |p| Box::pin(campaigns::waiting(p)) },
];

/// What could not be looked at is a finding too: nothing is passed over in silence.
fn unread(code: &'static str, e: &crate::desk::DeskError) -> Vec<Finding> {
    vec![Finding::bad(code, format!("the database cannot be read: {e}"), "see the check of the database")]
}

/// Nothing to be looked at without a database.
fn no_rows() -> Vec<Finding> {
    Vec::new()
}
