//! What is asked of all campaigns on a screen: what is one for all is read once, what is of each in one statement for
//! all of them. Who asks about one campaign alone reads it in `board` and `explain`; how it is judged is the same.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::{
    Desk, DeskError, Forecast, Hands,
    board::{Beside, STANDING},
    explain::{Places, binding, going, silence},
    forecast::measured_from,
    law,
    protect::{ABANDONED, JUDGED},
};
use crate::{
    domain::{
        Refusal, breaker,
        campaign::Status,
        dispatch::{self, Board, Closure, Decision},
        id::{AssistantId, CampaignId, OwnerId},
        people::People,
        schedule,
    },
    store::{CampaignRow, EngineRow, LISTED, OutgoingRow, Setting, Values, minute_of},
};

/// More running campaigns than this are not looked at.
const MOST: usize = 60;

/// What is one for all campaigns of an owner, and what was noted of each that runs.
pub(super) struct Common {
    pub values: Values,
    pub hook_at: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
    engine: Option<EngineRow>,
}

impl Common {
    /// What keeps every dial from being made: what the engine said itself, or its silence.
    pub fn no_engine(&self) -> Option<String> {
        self.values.get(Setting::EngineHealth).map(str::to_owned).or_else(|| silence(self.engine.as_ref(), self.now))
    }

    fn closures(&self) -> Result<Vec<Closure>, DeskError> {
        law::read(self.values.get(Setting::LawClosed)).map_err(|c| Refusal::from(c).into())
    }
}

/// What is judged of some campaigns, read for all of them.
struct Facts {
    outgoing: HashMap<AssistantId, OutgoingRow>,
    /// Dials of the days around now.
    days: Vec<(CampaignId, String, i64)>,
    answers: HashMap<CampaignId, breaker::Answers>,
}

impl Facts {
    fn used_today(&self, row: &CampaignRow, now: DateTime<Utc>) -> i64 {
        let day = schedule::local_day(row.zone(), now).to_string();
        self.days.iter().find(|(id, d, _)| (*id, d) == (row.id, &day)).map_or(0, |(_, _, used)| *used)
    }
}

impl Desk {
    pub(super) async fn common(&self, owner: OwnerId, campaigns: &[CampaignRow]) -> Result<Common, DeskError> {
        let mut which = vec![Setting::EngineHealth, Setting::LiveKitTook, Setting::LawClosed, Setting::NationalList(owner, LISTED)];
        which.extend(STANDING);
        which.extend(running(campaigns).map(|c| Setting::CampaignNote(c.id)));
        Ok(Common { engine: self.store.engine().await?, hook_at: self.store.last_hook().await?, values: self.store.settings(&which).await?, now: self.now() })
    }

    /// What each running campaign comes to next; where its people stand was counted before.
    pub(super) async fn next_of(
        &self,
        common: &Common,
        campaigns: &[CampaignRow],
        people: &HashMap<CampaignId, People>,
    ) -> Result<HashMap<CampaignId, Next>, DeskError> {
        let rows: Vec<&CampaignRow> = running(campaigns).take(MOST).collect();
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let facts = self.facts(&rows).await?;
        let (mut next, mut goes) = (HashMap::new(), Vec::new());
        for (row, decision, brake) in self.decisions(common, &facts, &rows).await? {
            let (gate, until) = match binding(decision, common.now) {
                Some(closed) => (closed.gate.word(), closed.until),
                None => (going(brake).0, None),
            };
            match gate {
                // All its lines in use, or the next dial in a moment: it goes on as it does.
                "open" | "concurrency" | "trunk_concurrency" | "call_delay" | "trunk_rate" => goes.push(row),
                "brake" => drop(next.insert(row.id, Next::Braked)),
                gate => drop(next.insert(row.id, Next::Waits(gate.to_owned(), until))),
            }
        }
        next.extend(self.reckoned(common, &facts, &goes, people).await?);
        Ok(next)
    }

    async fn facts(&self, rows: &[&CampaignRow]) -> Result<Facts, DeskError> {
        let now = self.now();
        let ids: Vec<CampaignId> = rows.iter().map(|r| r.id).collect();
        let mut assistants: Vec<AssistantId> = rows.iter().map(|r| r.assistant_id).collect();
        assistants.sort_unstable();
        assistants.dedup();
        Ok(Facts {
            outgoing: self.store.outgoing_of(&assistants).await?,
            days: self.store.days_since((now - Duration::days(2)).date_naive()).await?,
            answers: self.store.without_agent_of(&ids, now - ABANDONED, now - JUDGED).await?,
        })
    }

    /// What the engine would decide of each, and why it makes one call at a time, where it does.
    async fn decisions<'r>(
        &self,
        common: &Common,
        facts: &Facts,
        rows: &[&'r CampaignRow],
    ) -> Result<Vec<(&'r CampaignRow, Decision, Option<String>)>, DeskError> {
        let mut boards: Vec<(&CampaignRow, Board)> = rows.iter().map(|row| (*row, self.board_of(common, facts, row))).collect();
        let open: Vec<CampaignId> = boards.iter().filter(|(_, b)| dispatch::before_queue(&self.rules, b).is_ok()).map(|(row, _)| row.id).collect();
        if !open.is_empty() {
            let (mut heads, closures) = (self.store.heads_of(&open).await?, common.closures()?);
            for (row, board) in &mut boards {
                let heads = heads.remove(&row.id).unwrap_or_default();
                board.zones = self.zones_in(row, heads, &closures, &Hands::default(), common.now);
            }
        }
        Ok(boards.into_iter().map(|(row, board)| (row, dispatch::decide(&self.rules, &board), board.campaign.brake)).collect())
    }

    fn board_of(&self, common: &Common, facts: &Facts, row: &CampaignRow) -> Board {
        let mut installation = self.standing_in(&common.values);
        installation.unwell = common.no_engine().map(|words| (words, None));
        let beside = Beside {
            outgoing: facts.outgoing.get(&row.assistant_id).cloned(),
            used_today: facts.used_today(row, common.now),
            national_list_at: common.values.get(Setting::NationalList(row.user_id, LISTED)).and_then(|t| t.parse().ok()),
            brake: breaker::brakes(&self.rules.breaker, &facts.answers.get(&row.id).copied().unwrap_or_default()),
            no_agent: common.values.get(Setting::CampaignNote(row.id)).map(|words| (words.to_owned(), None)),
        };
        self.board(row, &installation, &Hands::default(), beside, common.now).0
    }

    /// The cap or the end of each, whichever comes first.
    async fn reckoned(
        &self,
        common: &Common,
        facts: &Facts,
        rows: &[&CampaignRow],
        people: &HashMap<CampaignId, People>,
    ) -> Result<Vec<(CampaignId, Next)>, DeskError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let now = common.now;
        let ids: Vec<CampaignId> = rows.iter().map(|r| r.id).collect();
        let since: Vec<(CampaignId, i64)> = rows.iter().map(|r| (r.id, minute_of(measured_from(r, now)))).collect();
        let (queues, dials) = (self.store.queues_of(&ids, now).await?, self.store.dials_of(&since, minute_of(now) + 1).await?);
        let mut places = Places { closures: common.closures()?, countries: Vec::new(), now };
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            places.countries = self.countries(facts.outgoing.get(&row.assistant_id));
            let waiting = self.waiting_in(queues.get(&row.id).map_or(&[], Vec::as_slice), &self.unqueued(row).await?, &places);
            let people = match people.get(&row.id) {
                Some(people) => *people,
                None => self.people(row).await?,
            };
            let lately = dials.get(&row.id).copied().unwrap_or(0);
            all.push((row.id, Next::of(&Forecast::of(row, &waiting, &people, (lately, facts.used_today(row, now)), now))));
        }
        Ok(all)
    }
}

fn running(campaigns: &[CampaignRow]) -> impl Iterator<Item = &CampaignRow> {
    campaigns.iter().filter(|c| c.execution_status == Status::Running)
}

/// What a running campaign comes to next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nobody was dialled since it began: no pace to reckon by.
    Begins,
    /// Everybody is through; see [`Forecast`](super::Forecast) for whom it counts.
    Done(DateTime<Utc>),
    /// The calling time that is left, where the end is too far away to say.
    Lasts(Duration),
    /// The day's cap is reached before that.
    Cap(DateTime<Utc>),
    /// It makes one call at a time, because calls found no agent.
    Braked,
    /// What it waits for, by the word of its gate, and until when.
    Waits(String, Option<DateTime<Utc>>),
}

impl Next {
    fn of(ahead: &Forecast) -> Self {
        match (ahead.dials, ahead.cap, ahead.ends) {
            (0, ..) => Self::Begins,
            (_, Some(cap), _) => Self::Cap(cap),
            (_, None, Some(end)) => Self::Done(end),
            (_, None, None) => Self::Lasts(Duration::try_seconds(ahead.calling_seconds).unwrap_or(Duration::days(365))),
        }
    }
}
