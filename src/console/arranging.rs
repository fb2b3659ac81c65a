//! The rows that the panes show, in their order: a new look is taken, and while keys are pressed every row that was
//! there keeps its place.

use super::{
    happened::{self, Line, Teller},
    keys::Pane,
    lists, rows,
    snapshot::{CampaignView, Snapshot},
    state::State,
};
use crate::{
    domain::id::{CallId, CampaignId},
    store::PaneRow,
};

impl State {
    /// The live pane's rows as they stand.
    #[must_use]
    pub fn live_rows(&self) -> Vec<&PaneRow> {
        self.board.iter().filter_map(|i| self.data.live.get(*i)).collect()
    }

    #[must_use]
    pub fn queue_rows(&self) -> Vec<&PaneRow> {
        self.line.iter().filter_map(|i| self.data.to_tag.get(*i)).collect()
    }

    #[must_use]
    pub fn campaign_rows(&self) -> Vec<&CampaignView> {
        self.roll.iter().filter_map(|i| self.data.campaigns.get(*i)).collect()
    }

    /// Lines of the events that are shown, oldest first.
    #[must_use]
    pub fn event_rows(&self) -> Vec<Line<'_>> {
        self.log.iter().filter_map(|slot| Line::of(*slot, &self.data, &self.old_log)).collect()
    }

    /// Events from a level on are shown.
    pub fn log_from(&mut self, level: tracing::Level) {
        self.log_level = level;
        self.arrange();
        self.say(format!("the events show {}", happened::shown(level)));
    }

    /// A line of the events by its row: the newest is the first.
    #[must_use]
    pub fn event_row(&self, row: usize) -> Option<Line<'_>> {
        Line::of(*self.log.get(self.log.len().checked_sub(row + 1)?)?, &self.data, &self.old_log)
    }

    /// How many lines the level shows, whatever the filter leaves of them.
    #[must_use]
    pub fn event_count(&self) -> usize {
        let logs = self.data.logs.iter().map(Line::Log).chain(self.old_log.iter().map(Line::Old));
        let facts = self.data.happened.iter().map(|e| Line::Fact(e));
        logs.chain(facts).filter(|l| l.is_shown(self.log_level)).count()
    }

    /// How lines of the events are told here.
    #[must_use]
    pub fn teller(&self) -> Teller {
        Teller { mask: self.mask, zone: self.options.zone, now: self.data.at }
    }

    /// Calls that wait for a tag, of deleted campaigns too.
    #[must_use]
    pub fn to_tag(&self) -> i64 {
        let shown = self.data.live.iter().filter(|r| rows::wants_tag(r)).count();
        self.data.untagged().max(i64::try_from(shown).unwrap_or(0))
    }

    /// Takes a new look at the rows; the cursors stay on their ids.
    pub fn take(&mut self, mut new: Snapshot) {
        let made = self.newly_made(&new);
        if new.assistants.is_empty() && !new.lists {
            new.assistants = std::mem::take(&mut self.data.assistants);
        }
        if new.sources.is_empty() && !new.lists {
            new.sources = std::mem::take(&mut self.data.sources);
        }
        if new.head.is_none() {
            new.head = self.data.head.take();
        }
        // A row under the cursor is not taken away.
        if let Some(id) = self.live
            && !new.live.iter().any(|r| r.id == id)
            && let Some(old) = new.to_tag.iter().chain(&self.data.live).find(|r| r.id == id).cloned()
        {
            new.live.push(old);
        }
        let before = std::mem::replace(&mut self.data, new);
        let first = !std::mem::replace(&mut self.loaded, true);
        self.data_error = None;
        self.pending.clear();
        self.rearrange(&before);
        if first {
            self.begin();
        }
        if made.is_some() {
            (self.campaign, self.made) = (made, None);
        }
    }

    fn newly_made(&self, new: &Snapshot) -> Option<CampaignId> {
        let name = self.made.as_ref()?;
        let known = |id: CampaignId| self.data.campaign(id).is_some();
        new.campaigns.iter().find(|c| c.row.name == *name && !known(c.row.id)).map(|c| c.row.id)
    }

    /// The first look of all: the cursors stand on the first rows. Where no campaign is, the first question is what is
    /// missing until one can call.
    fn begin(&mut self) {
        if self.data.campaigns.iter().all(|c| c.row.manual) {
            self.go(Pane::Systems);
        }
        self.campaign = self.campaign_rows().first().map(|c| c.row.id);
        self.live = self.live_rows().first().map(|r| r.id);
        self.queue = self.queue_rows().first().map(|r| r.id);
    }

    /// Orders the rows anew, after a filter changed or keys have rested.
    pub fn arrange(&mut self) {
        let (data, at) = (&self.data, self.data.at);
        self.board = self.lists.calls(Pane::Live, &data.live, at, |r| !self.to_tag_only || rows::wants_tag(r));
        self.line = self.lists.calls(Pane::Outcomes, &data.to_tag, at, |_| true);
        self.roll = self.lists.campaigns(data);
        self.log = self.lists.events(data, &self.old_log, self.log_level, &self.teller());
        self.unsorted = false;
        self.let_go();
        if let Some(call) = self.returning.call.take_if(|id| self.line.iter().any(|i| self.data.to_tag[*i].id == *id)) {
            self.queue = Some(call);
        }
    }

    /// The rows of a new look; while keys are pressed those that were there keep their places.
    fn rearrange(&mut self, before: &Snapshot) {
        let calls = |order: &[usize], all: &[PaneRow]| order.iter().filter_map(|i| all.get(*i)).map(|r| r.id).collect::<Vec<_>>();
        let (board, line) = (calls(&self.board, &before.live), calls(&self.line, &before.to_tag));
        let roll: Vec<CampaignId> = self.roll.iter().filter_map(|i| before.campaigns.get(*i)).map(|c| c.row.id).collect();
        self.arrange();
        if !self.is_busy() {
            return;
        }
        lists::hold(&mut self.board, &board, |i| self.data.live[i].id);
        lists::hold(&mut self.line, &line, |i| self.data.to_tag[i].id);
        lists::hold(&mut self.roll, &roll, |i| self.data.campaigns[i].row.id);
        self.unsorted = true;
    }

    /// A cursor whose row is gone stands on nothing.
    fn let_go(&mut self) {
        self.campaign = self.campaign.filter(|id| self.roll.iter().any(|i| self.data.campaigns[*i].row.id == *id));
        self.live = self.live.filter(|id| self.board.iter().any(|i| self.data.live[*i].id == *id));
        self.queue = self.queue.filter(|id| self.line.iter().any(|i| self.data.to_tag[*i].id == *id));
        let shown = |id: &CallId| self.data.live.iter().chain(&self.data.to_tag).any(|r| r.id == *id);
        self.marks.keep_on_deck(shown);
    }
}
