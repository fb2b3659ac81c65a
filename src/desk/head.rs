//! The head of the deck, read together every few seconds: figures, the lights of what must be well, the day so far,
//! and what each running campaign comes to next. Nothing is decided here and nothing written.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::{
    Desk, DeskError, Figures,
    glance::{Common, Next},
    history, systems,
};
use crate::{
    domain::{
        id::{CampaignId, OwnerId},
        outcome::Outcome,
        people::People,
        stats::Pace,
        system::{Light, Mend, System},
    },
    store::{CampaignRow, Setting},
};

/// What stands over the deck and beside its campaigns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Head {
    pub figures: Figures,
    /// Since the day began.
    pub today: Pace,
    /// What was tagged since then, in the order of the six.
    pub outcomes: Vec<(Outcome, i64)>,
    pub lights: Option<Lights>,
    /// Of campaigns that run.
    pub next: HashMap<CampaignId, Next>,
    /// Where the people of campaigns stand.
    pub people: HashMap<CampaignId, People>,
}

/// What must be well before calls can be made, as the rows have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lights {
    /// LiveKit, or the engine where nobody speaks for it.
    pub livekit: System,
    /// How long it took to answer last, in milliseconds.
    pub livekit_took: Option<i64>,
    pub agents: System,
    pub hooks: System,
    pub hook_at: Option<DateTime<Utc>>,
    pub trunk: System,
    /// Lines in use, and how many there are.
    pub lines: (i64, i64),
    /// Calls that were live then.
    pub live: i64,
}

/// Hooks that stay away for so long while somebody is on the line are told.
const SILENT: Duration = Duration::seconds(60);

impl Desk {
    /// What stands over the deck; `today` is when its operator's day began.
    pub async fn head(&self, owner: OwnerId, today: DateTime<Utc>) -> Result<Head, DeskError> {
        let campaigns = self.store.newest_campaigns(owner, 200).await?;
        let common = self.common(owner, &campaigns).await?;
        let now = self.now();
        let tags = self.store.tags_between(owner, today, now + Duration::seconds(1)).await?;
        let people = self.people_of(&campaigns).await?;
        Ok(Head {
            figures: self.figures(owner).await?,
            today: self.pace_between(owner, today, now).await?,
            outcomes: history::outcomes(&tags, |_| true),
            lights: Some(self.lights(owner, &common, &campaigns).await?),
            next: self.next_of(&common, &campaigns, &people).await?,
            people,
        })
    }

    async fn lights(&self, owner: OwnerId, common: &Common, campaigns: &[CampaignRow]) -> Result<Lights, DeskError> {
        let of_calls = self.dialling(common, campaigns);
        let livekit = of_calls.into_iter().find(|s| matches!(s.name, "LiveKit" | "engine")).unwrap_or_else(|| System::good("LiveKit", ""));
        let live: i64 = campaigns.iter().map(|c| c.counts.live).sum();
        let lines = self.lines(owner).await?;
        Ok(Lights {
            livekit,
            livekit_took: common.values.get(Setting::LiveKitTook).and_then(|ms| ms.parse().ok()),
            agents: systems::agents(common, campaigns),
            hooks: silent(systems::hooks(common), common.hook_at.filter(|_| live > 0), self.now()),
            hook_at: common.hook_at,
            trunk: of_lines(lines),
            lines,
            live,
        })
    }

    async fn lines(&self, owner: OwnerId) -> Result<(i64, i64), DeskError> {
        let trunks = self.store.trunks().await?;
        let own = trunks.iter().filter(|t| t.user_id == owner);
        Ok(own.fold((0, 0), |(used, of), t| (used + t.live, of + t.max_live.min(self.rules.trunk_concurrent))))
    }
}

/// Hooks that came before and stay away while calls are on the line.
fn silent(told: System, last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> System {
    match last.map(|at| now - at).filter(|age| *age > SILENT) {
        Some(age) => {
            let fact = format!("none for {} s while calls are on the line", age.num_seconds());
            System::other(told.name, Light::Warning, fact, Mend::ReadOn, "is the tunnel down? calls are followed without them")
        }
        None => told,
    }
}

fn of_lines((used, of): (i64, i64)) -> System {
    const NAME: &str = "trunk";
    let fact = format!("{used} of {of} lines in use");
    match (used, of) {
        (_, 0) => System::other(NAME, Light::Unset, "none yet", Mend::AssignNumber, "assign a number: its trunk is made with it"),
        // A good hour fills them: the gauge shows it, and nothing is wrong.
        _ if used >= of => System::good(NAME, format!("{fact}: more calls wait until one is over")),
        _ => System::good(NAME, fact),
    }
}
