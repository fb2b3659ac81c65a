//! "Why is nothing dialling?": the gate that the one decision names, in one sentence, with the next moment
//! it changes; and who of the contacts left waits for what. Serves the console's `w`, the API's status,
//! `campaign why` and the preflight.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Desk, DeskError, Forecast, Hands};
use crate::{
    domain::{
        campaign::Status,
        dispatch::{self, Closed, Closes, Closure, Decision, Gate},
        id::OwnerId,
        legal,
        people::People,
        place,
        text::clean,
        zone::{self, Zone},
    },
    store::{CampaignRow, EngineRow, OutgoingRow, PlaceCount, QueueCount, Setting},
};

/// The binding gate in words, and when it changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// `open` when calls are being made.
    pub gate: String,
    pub message: String,
    pub until: Option<DateTime<Utc>>,
    /// What waits, and for what.
    #[serde(skip)]
    pub waiting: Waiting,
    /// Where all its people stand.
    #[serde(skip)]
    pub people: People,
    /// What is ahead of it, as though it ran.
    #[serde(skip)]
    pub forecast: Forecast,
    /// All that is in the way, in the order of mending; the first is the gate.
    #[serde(skip)]
    pub obstacles: Vec<Closed>,
}

/// The contacts left: who may be called now, who later.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Due, and the law is open where they are; whether the campaign may call is another question.
    pub dialable_now: i64,
    /// Due later, or where the law is closed: with those of now all who wait.
    pub later: i64,
    pub zones: Vec<ZoneWait>,
    /// [`People::do_not_call`].
    pub do_not_call: i64,
    /// [`People::not_reached`].
    pub exhausted: i64,
    /// Rows of the import that were refused.
    pub invalid: i64,
    /// [`Forecast::calling_seconds`].
    pub calling_seconds: i64,
}

impl Waiting {
    /// Of those of later: where nobody may be called at this hour.
    #[must_use]
    pub fn closed(&self) -> i64 {
        self.zones.iter().filter(|z| !z.lawful).map(|z| z.waiting).sum()
    }
}

/// Contacts that wait for their zone to open.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ZoneWait {
    pub zones: String,
    pub waiting: i64,
    /// `None`: no hour suits all its zones, or the zone is unknown.
    pub opens: Option<DateTime<Utc>>,
    /// The law is open now.
    #[serde(skip)]
    pub lawful: bool,
    /// Those of the waiting who are due.
    #[serde(skip)]
    pub due: i64,
    /// Why nobody there is ever called, where it is not the hour: a country that is not switched on.
    #[serde(skip)]
    pub shut: Option<String>,
    /// An operator has closed it.
    #[serde(skip)]
    pub closed: Option<Closure>,
}

impl ZoneWait {
    /// When it opens, in words; `at` tells a moment.
    #[must_use]
    pub fn when(&self, now: DateTime<Utc>, at: impl Fn(DateTime<Utc>) -> String) -> String {
        match (&self.closed, &self.shut, self.opens) {
            (Some(closed), ..) => by_hand(closed, self.opens.map(at)),
            (None, Some(why), _) => why.clone(),
            (None, None, None) => "never: no hour suits".to_owned(),
            (None, None, Some(t)) if t > now => format!("opens {}", at(t)),
            (None, None, Some(_)) if self.due < self.waiting => format!("open now, {} due later", self.waiting - self.due),
            (None, None, Some(_)) => "open now".to_owned(),
        }
    }
}

/// `US-CA closed by ana (Wildfire day) until Sat 00:34 PST`.
fn by_hand(c: &Closure, until: Option<String>) -> String {
    let by = if c.by.is_empty() { String::new() } else { format!(" by {}", clean(&c.by, 40)) };
    let reason = if c.reason.trim().is_empty() { String::new() } else { format!(" ({})", clean(&c.reason, 60)) };
    let until = until.filter(|_| c.until.is_some()).map_or_else(|| " until somebody opens it".to_owned(), |t| format!(" until {t}"));
    format!("{} closed{by}{reason}{until}", c.place)
}

impl Explanation {
    /// Calls are made: nothing is in the way but that all lines are in use, or the next dial is due in a moment.
    #[must_use]
    pub fn goes(&self) -> bool {
        self.obstacles.iter().all(|c| c.gate.closes() == Closes::Pace)
    }

    /// The whole story, a line each, on the clock of a zone: the gate, the counts, who waits where.
    #[must_use]
    pub fn lines(&self, zone: Zone, now: DateTime<Utc>) -> Vec<String> {
        let at = |t: DateTime<Utc>| t.with_timezone(&zone).format("%a %H:%M %Z").to_string();
        let w = &self.waiting;
        let mut lines = vec![self.message.clone()];
        lines.extend(self.until.map(|t| format!("changes at {}", at(t))));
        lines.extend(self.figures(&at));
        lines.extend(w.zones.iter().map(|z| format!("{:>7}  {}  {}", z.waiting, zone::label(&z.zones), z.when(now, at))));
        lines
    }

    /// Whom it may call and whom not, and how much of calling that is.
    #[must_use]
    pub fn figures(&self, at: &impl Fn(DateTime<Utc>) -> String) -> [String; 2] {
        [self.who(), format!("about {} of calling left{}", calling(self.waiting.calling_seconds), self.forecast.words(at))]
    }

    /// Whom it may call, and whom not, a part of its people each.
    fn who(&self) -> String {
        let (w, p) = (&self.waiting, &self.people);
        let parts = [
            (w.later - w.closed(), "to be tried again later"),
            (w.closed(), "where the law is closed"),
            (p.on_the_line, "on the line"),
            (p.stopped, "left by the stop"),
            (w.do_not_call, "on do-not-call"),
            (w.exhausted, "called as often as allowed"),
            (p.turned_away, "turned away, their rows say why"),
        ];
        let others: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!(", {n} {words}")).collect();
        let refused = if w.invalid > 0 { format!("; {} refused lines of the file", w.invalid) } else { String::new() };
        // Whoever may be called by the law is called only while nothing else is in the way.
        let may = if self.goes() { "can" } else { "could" };
        format!("{} {may} be called now by the law{}{refused}", w.dialable_now, others.concat())
    }
}

/// A gate by its word, its words, and when it changes.
pub(super) type Binding = (&'static str, String, Option<DateTime<Utc>>);

/// An engine reports every few seconds; one that has not for so long is not there.
const SILENT: chrono::Duration = chrono::Duration::seconds(90);

/// A pace that lets calls pass again within this is no reason: calls are being made.
const MOMENT: chrono::Duration = chrono::Duration::seconds(10);

impl Desk {
    pub async fn explain(&self, row: &CampaignRow) -> Result<Explanation, DeskError> {
        let ((gate, message, until), obstacles) = self.in_the_way(row).await?;
        let (waiting, people, forecast) = self.outlook(row).await?;
        Ok(Explanation { gate: gate.to_owned(), message, until, waiting, people, forecast, obstacles })
    }

    /// Who waits and for what, where all others stand, and what is ahead.
    pub(super) async fn outlook(&self, row: &CampaignRow) -> Result<(Waiting, People, Forecast), DeskError> {
        let people = self.people(row).await?;
        let waiting = self.waiting(row).await?;
        let forecast = self.forecast(row, &waiting, &people).await?;
        let told = Waiting { do_not_call: people.do_not_call, exhausted: people.not_reached, calling_seconds: forecast.calling_seconds, ..waiting };
        Ok((told, people, forecast))
    }

    /// The gate that binds, as the engine would decide now from what is in the rows, and all that would bind after it.
    async fn in_the_way(&self, row: &CampaignRow) -> Result<(Binding, Vec<Closed>), DeskError> {
        if row.manual && row.execution_status == Status::Idle {
            let words = "it is made of single calls: each is dialled when somebody asks for it".to_owned();
            return Ok(((Gate::State.word(), words, None), Vec::new()));
        }
        let mut installation = self.standing().await?;
        installation.unwell = self.unwell(row).await?.map(|words| (words, None));
        let no_agent = self.store.setting(Setting::CampaignNote(row.id)).await?.map(|words| (words, None));
        let mut look = self.decide(row, &installation, &Hands::default(), no_agent).await?;
        let Some(closed) = binding(look.decision, look.board.now) else { return Ok((going(look.board.campaign.brake), Vec::new())) };
        if look.board.zones.is_empty() {
            look.board.zones = self.zones(row, &Hands::default(), look.board.now).await?;
        }
        let all = dispatch::obstacles(&self.rules, &look.board);
        Ok(((closed.gate.word(), closed.message, closed.until), all))
    }

    /// What keeps the engine from dialling a campaign that runs: what it said itself, or its silence.
    async fn unwell(&self, row: &CampaignRow) -> Result<Option<String>, DeskError> {
        if row.execution_status == Status::Running { self.no_engine().await } else { Ok(self.store.setting(Setting::EngineHealth).await?) }
    }

    /// What keeps every dial from being made: what the engine said itself, or its silence.
    pub(super) async fn no_engine(&self) -> Result<Option<String>, DeskError> {
        match self.store.setting(Setting::EngineHealth).await? {
            Some(said) => Ok(Some(said)),
            None => Ok(silence(self.store.engine().await?.as_ref(), self.now())),
        }
    }

    async fn waiting(&self, row: &CampaignRow) -> Result<Waiting, DeskError> {
        let now = self.now();
        let source = match row.source_id() {
            Some(id) => self.store.source(row.user_id, id).await?,
            None => None,
        };
        let outgoing = self.store.outgoing(row.assistant_id).await?;
        let places = Places { closures: self.closures().await?, countries: self.countries(outgoing.as_ref()), now };
        let waiting = self.waiting_in(&self.store.queues(row.id, now).await?, &self.unqueued(row).await?, &places);
        Ok(Waiting { invalid: source.map_or(0, |s| s.invalid), ..waiting })
    }

    /// Who has no row yet: everybody of a campaign that has not begun, the rest of one that fills.
    pub(super) async fn unqueued(&self, row: &CampaignRow) -> Result<Arc<Vec<PlaceCount>>, DeskError> {
        let after = match (row.execution_status, row.fill_position) {
            (Status::Idle, _) => Some(-1),
            (_, position) => position,
        };
        let (Some(source), Some(after)) = (row.source_id(), after) else { return Ok(Arc::default()) };
        self.behind(row, source, after).await
    }

    /// Who waits for what, of queues that were read and of those who have no row yet.
    pub(super) fn waiting_in(&self, queues: &[QueueCount], unqueued: &[PlaceCount], places: &Places) -> Waiting {
        let mut waiting = Waiting::default();
        for q in queues {
            waiting.add(&self.queue(&q.zones, places), q.pending, q.due);
        }
        for p in unqueued {
            let key = legal::queue_key(&place::key_again(&p.number, p.said.as_deref(), &p.zones), &p.country, &p.number);
            waiting.add(&self.queue(&key, places), p.n, p.n);
        }
        waiting.later = waiting.zones.iter().map(|z| z.waiting).sum::<i64>() - waiting.dialable_now;
        waiting
    }

    /// Countries that some trunk of an owner may call; none: nobody knows.
    pub(super) async fn callable_countries(&self, owner: OwnerId) -> Result<Vec<String>, DeskError> {
        if !self.rules.countries.is_empty() {
            return Ok(self.rules.countries.clone());
        }
        let trunks = self.store.trunks().await?;
        Ok(trunks.into_iter().filter(|t| t.user_id == owner).flat_map(|t| t.countries.0).collect())
    }

    /// Countries that may be called: those of the configuration, else those of the trunk's numbers; none: nobody knows.
    pub(super) fn countries(&self, outgoing: Option<&OutgoingRow>) -> Vec<String> {
        if !self.rules.countries.is_empty() {
            return self.rules.countries.clone();
        }
        outgoing.and_then(|o| o.trunk.trunk_countries.clone()).map(|c| c.0).unwrap_or_default()
    }

    /// When the contacts of one queue may be called.
    fn queue(&self, key: &str, places: &Places) -> ZoneWait {
        let now = places.now;
        let hours = self.openings.of(&self.rules, key, now, now);
        let closed = places.closures.iter().find(|c| c.holds_at(now) && zone::states_of(key).any(|p| c.covers(p)));
        let shut = places.shut(key);
        // Where no law is known the rows end at their gate.
        let lawful = hours.awake && hours.opens.is_some() && closed.is_none() && shut.is_none();
        let clock = key.split(';').next().unwrap_or_default().to_owned();
        let opens = closed.map_or(hours.opens, |c| c.until).filter(|_| shut.is_none());
        ZoneWait { zones: clock, waiting: 0, due: 0, opens, lawful, shut, closed: closed.cloned() }
    }
}

impl Waiting {
    /// Contacts of a queue, and how many of them are due. Queues of the same clock that open together are one line.
    fn add(&mut self, queue: &ZoneWait, waiting: i64, due: i64) {
        self.dialable_now += if queue.lawful { due } else { 0 };
        let same = |z: &ZoneWait| (&z.zones, z.opens, &z.shut, &z.closed) == (&queue.zones, queue.opens, &queue.shut, &queue.closed);
        match self.zones.iter_mut().find(|z| same(z)) {
            Some(z) => (z.waiting, z.due) = (z.waiting + waiting, z.due + due),
            None => self.zones.push(ZoneWait { waiting, due, ..queue.clone() }),
        }
    }
}

/// What is asked of each queue of a campaign.
pub(super) struct Places {
    pub closures: Vec<Closure>,
    pub countries: Vec<String>,
    pub now: DateTime<Utc>,
}

impl Places {
    /// Why nobody of a queue is called at any hour.
    fn shut(&self, key: &str) -> Option<String> {
        let country = |place: &'_ str| place.split('-').next().unwrap_or_default().to_owned();
        let other = zone::states_of(key).map(country).find(|c| !self.countries.is_empty() && !self.countries.contains(c))?;
        Some(format!("never: {other} is not switched on (allowed: {}); [compliance] countries", self.countries.join(", ")))
    }
}

/// `9 min`, `4 h 10 min`.
pub(super) fn calling(seconds: i64) -> String {
    match (seconds / 3600, (seconds + 59) / 60 % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// What a decision leaves in the way; `None`: calls are made.
pub(super) fn binding(decision: Decision, now: DateTime<Utc>) -> Option<Closed> {
    let (Decision::Wait(closed) | Decision::Ended(closed)) = decision else { return None };
    let passes = closed.gate.closes() == Closes::Pace && closed.until.is_some_and(|t| t - now < MOMENT);
    (!passes || closed.gate == Gate::Queue).then_some(closed)
}

/// That no engine has reported for a while, in words.
pub(super) fn silence(engine: Option<&EngineRow>, now: DateTime<Utc>) -> Option<String> {
    if engine.is_some_and(|e| now - e.heartbeat_at < SILENT) {
        return None;
    }
    let seen =
        engine.map_or_else(String::new, |e| format!(" (the one on {} was last seen at {})", clean(&e.host, 64), e.heartbeat_at.format("%Y-%m-%d %H:%M UTC")));
    Some(format!("no engine is running{seen}, so nothing is dialled: start `dialdeck` or `dialdeck serve` on the dialler host"))
}

/// Calls are being made; one at a time where the brake is on.
pub(super) fn going(brake: Option<String>) -> (&'static str, String, Option<DateTime<Utc>>) {
    match brake {
        Some(words) => (Gate::Brake.word(), words, None),
        None => (Gate::Queue.word(), "calls are being made".to_owned(), None),
    }
}
