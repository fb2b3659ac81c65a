//! What has changed since the last look, a line each: calls, campaigns, warnings, and what keeps it from dialling.

use std::collections::HashMap;

use tracing::Level;

use super::talk::Plain;
use crate::{
    console::{
        alerts,
        keys::Pane,
        rows::{passes, wants_tag},
    },
    domain::{
        call::State as CallState,
        campaign::Status,
        id::{CallId, CampaignId},
        outcome::Outcome,
    },
    store::PaneRow,
};

/// Lines of one look; more are counted.
const MOST: usize = 20;

#[derive(Default)]
pub struct Seen {
    calls: HashMap<CallId, (CallState, Option<Outcome>)>,
    campaigns: HashMap<CampaignId, Status>,
    /// The next line of the log that nobody has heard.
    log: u64,
    alert: String,
    /// There was a look already: the first tells nothing of what was before.
    looked: bool,
}

impl Seen {
    /// News of a look at the rows.
    pub fn tell(&mut self, p: &mut Plain) {
        let first = !std::mem::replace(&mut self.looked, true);
        let mut lines = self.calls(p);
        lines.extend(self.campaigns(p));
        lines.extend(self.log(p));
        if first {
            return;
        }
        let more = lines.len().saturating_sub(MOST);
        let at = p.state.now.with_timezone(&p.state.options.zone).format("%H:%M:%S").to_string();
        for line in lines.into_iter().take(MOST) {
            p.say(format!("{at} {line}"));
        }
        if more > 0 {
            p.say(format!("{at} and {more} more: `calls` lists who is on the line"));
        }
    }

    /// What keeps it from dialling, as soon as it changes; its figures may run.
    pub fn tell_alert(&mut self, p: &mut Plain) {
        let words = alerts::all(&p.state).into_iter().next().map_or_else(String::new, |a| a.words);
        let still = words.replace(|c: char| c.is_ascii_digit(), "");
        if still == self.alert {
            return;
        }
        if words.is_empty() {
            p.say("all clear again");
        } else {
            p.say(format!("! {words}"));
        }
        self.alert = still;
    }

    fn calls(&mut self, p: &mut Plain) -> Vec<String> {
        let rows: Vec<PaneRow> = p.state.data.live.iter().filter(|r| passes(&p.state.lists.of(Pane::Live).filter, r)).cloned().collect();
        let mut lines = Vec::new();
        for r in &rows {
            let before = self.calls.insert(r.id, (r.state, r.outcome));
            // Both are told as dialling.
            let on = before.map(|b| b.0) == Some(CallState::Armed) && r.state == CallState::Dialing;
            if before.map(|b| b.0) != Some(r.state) && !on {
                lines.extend(changed(p, r));
            }
            if let Some(o) = r.outcome.filter(|o| before.is_some_and(|b| b.1 != Some(*o))) {
                lines.push(format!("call {} is tagged {}", p.name(r), o.label()));
            }
        }
        let there: std::collections::HashSet<CallId> = p.state.data.live.iter().map(|r| r.id).collect();
        self.calls.retain(|id, _| there.contains(id));
        lines
    }

    fn campaigns(&mut self, p: &mut Plain) -> Vec<String> {
        let mut lines = Vec::new();
        for c in &p.state.data.campaigns {
            let number = p.campaigns.of(c.row.id);
            let (id, status) = (c.row.id, c.row.execution_status);
            if self.campaigns.insert(id, status).is_some_and(|before| before != status) {
                let why = if c.row.status_reason.is_empty() { String::new() } else { format!(": {}", c.row.status_reason) };
                lines.push(format!("campaign {number} \"{}\" is {}{why}", c.row.name, status.as_str()));
            }
        }
        lines
    }

    fn log(&mut self, p: &Plain) -> Vec<String> {
        let logs = &p.state.data.logs;
        let new = logs.iter().filter(|l| l.number >= self.log && l.level <= Level::WARN);
        let lines = new.map(|l| format!("{}: {}", if l.level == Level::ERROR { "error" } else { "warning" }, l.text)).collect();
        self.log = logs.last().map_or(self.log, |l| l.number + 1);
        lines
    }
}

/// What became of a call.
fn changed(p: &mut Plain, r: &PaneRow) -> Option<String> {
    let (name, campaign) = (p.name(r), r.campaign_name.clone());
    Some(match r.state {
        CallState::Pending | CallState::Claimed => return None,
        CallState::Armed | CallState::Dialing => format!("call {name}, {campaign}: dialling"),
        CallState::Ringing => format!("call {name}: ringing"),
        CallState::Answered => format!("call {name}: answered"),
        CallState::Unknown => format!("call {name}: the network's answer is lost, it is looked up"),
        _ => {
            let (word, reason) = (r.state.words_if(r.armed_at.is_some()), r.reason.trim());
            let reason = if reason.is_empty() || reason == word { String::new() } else { format!(", {reason}") };
            let talk = if r.answered_at.is_some() { format!(", talked {}:{:02}", r.call_duration / 60, r.call_duration % 60) } else { String::new() };
            let number = p.calls.of(r.id);
            let wants = if wants_tag(r) { format!(". To tag: tag {number}") } else { String::new() };
            format!("call {name}: {word}{reason}{talk}{}{wants}", agent_says(r))
        }
    })
}

/// What the agent makes of a call.
pub fn agent_says(r: &PaneRow) -> String {
    let sure = r.suggestion_confidence.map_or_else(String::new, |c| format!(", {:.0} %", c * 100.0));
    r.suggestion.map_or_else(String::new, |s| format!(", the agent says {}{sure}", s.label()))
}
