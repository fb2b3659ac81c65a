//! All systems, read off the rows: what doctor knows without a look at the network, quickly enough to stand on a
//! screen. What the network is like the engine has said; who wants to see for himself asks doctor.

use chrono::{DateTime, Duration, Utc};

use super::{Desk, DeskError, glance::Common, law};
use crate::{
    domain::{
        campaign::Status,
        dispatch::{self, Closure},
        id::OwnerId,
        legal, phone, place,
        system::{Light, Mend, System},
        text::clean,
        zone,
    },
    store::{CampaignRow, NumberRow, Setting},
};

/// Less room than this on the disk is told.
const ROOM: u64 = 1 << 30;

/// A backup that is older is told, once calls have been made.
const BACKUP: Duration = Duration::days(7);

/// How the engine's words begin where no LiveKit is configured.
pub const NO_LIVEKIT: &str = "no LiveKit is configured";

/// How the words begin where this installation is told not to dial.
pub const SWITCHED_OFF: &str = "dialling is switched off";

/// What the engine says while nothing new is begun and its last calls go on.
pub const ENDING: &str = "the process that dials is ending: nothing new is dialled until its last calls are over; whoever follows it dials after that";

impl Desk {
    /// Every system, in the order in which one needs another.
    pub async fn systems(&self, owner: OwnerId) -> Result<Vec<System>, DeskError> {
        let campaigns = self.store.newest_campaigns(owner, 500).await?;
        let common = self.common(owner, &campaigns).await?;
        let mut all = vec![self.database().await?, System::good("clock", format!("zones {}", zone::version()))];
        all.extend(self.dialling(&common, &campaigns));
        all.push(agents(&common, &campaigns));
        all.extend(self.ways_out(owner).await?);
        all.push(hooks(&common));
        all.push(self.contacts(owner).await?);
        all.push(of_campaigns(&campaigns));
        all.push(law_today(&common));
        all.extend(self.whose_settings());
        Ok(all)
    }

    /// What is one for all hosts and what each has for itself, where there may be several.
    fn whose_settings(&self) -> Option<System> {
        let words = "of all hosts, in the database: kill switch, terms, closed places, do-not-call lists. Of this host: what its own configuration says; \
                     the host that dials dials by its own";
        self.store.is_shared().then(|| System::good("settings", words))
    }

    async fn database(&self) -> Result<System, DeskError> {
        const NAME: &str = "database";
        if let Some(why) = self.store.trouble() {
            return Ok(System::other(NAME, Light::Bad, format!("nothing can be written: {why}"), Mend::ReadOn, "free the disk, or mend the file's rights"));
        }
        let (bytes, free, now) = (self.store.bytes().await?, self.store.free_bytes(), self.now());
        // Its disk and its backups are another host's.
        if self.store.is_shared() {
            return self.server(bytes).await;
        }
        let backup: Option<DateTime<Utc>> = self.store.setting(Setting::LastBackup).await?.and_then(|t| t.parse().ok());
        let aged = backup.map_or_else(|| "no backup yet".to_owned(), |at| format!("backup {}", ago(now - at)));
        let room = free.map_or_else(String::new, |f| format!(", {} free", size(f)));
        let fact = format!("sqlite, {}{room}, {aged}", size(bytes));
        if free.is_some_and(|f| f < ROOM) {
            return Ok(System::other(NAME, Light::Warning, fact, Mend::ReadOn, "the disk is nearly full: without room nothing can be dialled"));
        }
        // Who has just begun has nothing to lose.
        let begun = self.store.first_dial().await?;
        let old = backup.or(begun).is_some_and(|at| now - at > BACKUP);
        if old {
            Ok(System::other(NAME, Light::Warning, fact, Mend::ReadOn, "`dialdeck backup FILE` makes one while calls go on"))
        } else {
            Ok(System::good(NAME, fact))
        }
    }

    /// A server that hosts share: how far it is, who dials with it.
    async fn server(&self, bytes: u64) -> Result<System, DeskError> {
        let far = self.store.round_trip().unwrap_or_default();
        let dials = self.store.lease().await?.filter(|lease| lease.left > 0.0);
        let dials = dials.map_or_else(|| "no host dials".to_owned(), |lease| format!("{} dials", clean(&lease.host, 64)));
        let fact = format!("postgresql, {}, {:.1} ms away, {dials}: {}", size(bytes), far.as_secs_f64() * 1000.0, self.store.path());
        Ok(if far > crate::store::Store::FAR {
            System::other("database", Light::Warning, fact, Mend::ReadOn, "all hosts write in turns: run dialdeck beside its database, under 1 ms away")
        } else {
            System::good("database", fact)
        })
    }

    /// Kill switch, terms, and what the engine says of LiveKit and its SIP service.
    pub(super) fn dialling(&self, common: &Common, campaigns: &[CampaignRow]) -> Vec<System> {
        let mut all = Vec::new();
        let standing = self.standing_in(&common.values);
        if standing.kill_switch.is_some() {
            let words = dispatch::installation(&standing).err().map_or_else(String::new, |c| c.message);
            all.push(System::other("kill switch", Light::Bad, words, Mend::ReleaseKillSwitch, "release it when calls are to be made again"));
        }
        if standing.terms_missing {
            all.push(System::other("terms", Light::Bad, "the terms of calling real phones are not accepted", Mend::AcceptTerms, "read and accept them"));
        }
        let said = common.values.get(Setting::EngineHealth);
        if said.is_some_and(|words| words.starts_with(NO_LIVEKIT)) {
            all.push(System::other("LiveKit", Light::Bad, "not set yet: nothing can be dialled", Mend::SetLiveKit, "set host, key and secret"));
            return all;
        }
        let running = campaigns.iter().any(|c| c.execution_status == Status::Running);
        all.push(match (said, common.no_engine()) {
            (Some(words), _) => System::other("LiveKit", Light::Bad, words, Mend::SetLiveKit, "look again, or set host, key and secret anew"),
            (None, Some(words)) => {
                System::other("engine", if running { Light::Bad } else { Light::Warning }, words, Mend::ReadOn, "start `dialdeck` or `dialdeck serve`")
            }
            (None, None) => System::good("LiveKit", "answers, and can dial"),
        });
        all
    }

    /// Trunks, numbers and assistants.
    async fn ways_out(&self, owner: OwnerId) -> Result<Vec<System>, DeskError> {
        let (trunks, numbers, assistants) = (self.store.trunks().await?, self.store.numbers(owner).await?, self.store.assistants(owner).await?);
        let rate = self.rules.calls_per_second;
        let rate = format!("{rate} {} a second", if (rate - 1.0).abs() < 0.001 { "call" } else { "calls" });
        let mut all: Vec<System> = trunks
            .iter()
            .filter(|t| t.user_id == owner)
            .map(|t| {
                let lines = t.max_live.min(self.rules.trunk_concurrent);
                System::good("trunk", format!("{} {}, {} of {lines} lines in use, {rate}", t.livekit_id, clean(&t.address, 80), t.live))
            })
            .collect();
        if all.is_empty() {
            all.push(System::other("trunk", Light::Unset, "none yet", Mend::AssignNumber, "assign a number: its trunk is made with it"));
        }
        if assistants.is_empty() {
            all.push(System::other("assistant", Light::Unset, "none yet", Mend::AddAssistant, "name who speaks, and what it says"));
        }
        let free = numbers.iter().filter(|n| n.assistant_id.is_none());
        all.extend(free.map(|n| {
            let fact = format!("{} is on the trunk, but no assistant has it", phone::spaced(&n.number));
            System::other("number", Light::Warning, fact, Mend::AssignNumber, "give it to one")
        }));
        let dumb = assistants.iter().filter(|a| !numbers.iter().any(|n| n.assistant_id == Some(a.id)));
        all.extend(dumb.map(|a| {
            let fact = format!("assistant \"{}\" has no number to call from", a.name);
            System::other("number", Light::Warning, fact, Mend::AssignNumber, "give it one")
        }));
        all.extend(numbers.iter().filter_map(with_assistant));
        Ok(all)
    }

    async fn contacts(&self, owner: OwnerId) -> Result<System, DeskError> {
        let sources = self.store.sources(owner).await?;
        let n: i64 = sources.iter().map(|s| s.contacts).sum();
        if n == 0 {
            return Ok(System::other("contacts", Light::Unset, "none yet", Mend::ImportContacts, "import a file"));
        }
        let lists = if sources.len() == 1 { "1 list".to_owned() } else { format!("{} lists", sources.len()) };
        Ok(System::good("contacts", format!("{n} in {lists}")))
    }
}

/// What the engine noted of campaigns that no agent worker comes to.
pub(super) fn agents(common: &Common, campaigns: &[CampaignRow]) -> System {
    const NAME: &str = "agent worker";
    let running = || campaigns.iter().filter(|c| c.execution_status == Status::Running);
    let noted = running().find_map(|row| Some((row, common.values.get(Setting::CampaignNote(row.id))?)));
    if let Some((row, words)) = noted {
        let way_out = "start the worker under that name (LK_AGENT_NAME), on the same LiveKit";
        return System::other(NAME, Light::Bad, format!("{}: {words}", row.name), Mend::ReadOn, way_out);
    }
    if running().next().is_some() {
        return System::good(NAME, "no call had to wait for one");
    }
    if campaigns.iter().any(|c| c.counts.pickups > 0) {
        return System::good(NAME, "no campaign is running; one came to the calls so far");
    }
    System::other(NAME, Light::Unset, "no call yet that needed one", Mend::Look, "look whether one comes")
}

pub(super) fn hooks(common: &Common) -> System {
    match common.hook_at {
        Some(at) => System::good("hooks", format!("last one {}", ago(common.now - at))),
        None => System::other(
            "hooks",
            Light::Unset,
            "none came lately: calls are made, and followed a little later",
            Mend::ReadOn,
            "not needed. Sooner with the webhook URL set at LiveKit",
        ),
    }
}

/// Where nobody may be called today: holidays, and what operators have closed.
fn law_today(common: &Common) -> System {
    const NAME: &str = "law";
    let now = common.now;
    let closures = match law::read(common.values.get(Setting::LawClosed)) {
        Ok(closures) => closures,
        Err(closed) => return System::other(NAME, Light::Bad, closed.message, Mend::OpenPlace, "open all, and close again what must be"),
    };
    let closed: Vec<String> = closures.iter().filter(|c| c.holds_at(now)).map(closed_words).collect();
    if !closed.is_empty() {
        return System::other(NAME, Light::Warning, format!("nobody is called in {}", closed.join(", nor in ")), Mend::OpenPlace, "open it when it is over");
    }
    let holidays = legal::on_holiday(now.date_naive());
    System::good(
        NAME,
        match holidays.as_slice() {
            [] => "no holiday today that closes a country or state".to_owned(),
            [one] => format!("closed today, a holiday: {}", place::said(one)),
            some if some.len() <= 6 => format!("{} places closed today, a holiday: {}", some.len(), said(some)),
            some => format!("{} places closed today, a holiday: {} and others", some.len(), said(&some[..6])),
        },
    )
}

fn said(places: &[&str]) -> String {
    places.iter().map(|p| place::said(p)).collect::<Vec<_>>().join(", ")
}

/// `California (US-CA), closed by ana until Sat 00:34 UTC: Wildfire day`.
fn closed_words(c: &Closure) -> String {
    let by = if c.by.is_empty() { "by an operator".to_owned() } else { format!("by {}", clean(&c.by, 40)) };
    let until = c.until.map_or_else(|| " until somebody opens it".to_owned(), |t| format!(" until {}", t.format("%a %H:%M UTC")));
    let why = clean(&c.reason, 60);
    format!("{}, closed {by}{until}{}", place::said(&c.place), if why.is_empty() { String::new() } else { format!(": {why}") })
}

fn with_assistant(n: &NumberRow) -> Option<System> {
    let name = n.assistant_name.as_ref()?;
    if n.trunk_id.is_none() {
        let fact = format!("{} of assistant \"{name}\" has no trunk", phone::spaced(&n.number));
        return Some(System::other("number", Light::Bad, fact, Mend::AssignNumber, "assign it again"));
    }
    Some(System::good("number", format!("{} calls for assistant \"{name}\"", phone::spaced(&n.number))))
}

fn of_campaigns(campaigns: &[CampaignRow]) -> System {
    const NAME: &str = "campaign";
    let n = |status: Status| campaigns.iter().filter(|c| c.execution_status == status).count();
    if campaigns.iter().all(|c| c.manual) {
        return System::other(NAME, Light::Unset, "none yet", Mend::NewCampaign, "make one once nothing above says ✗");
    }
    match (n(Status::Running), n(Status::Error)) {
        (running, 0) if running > 0 => System::good(NAME, format!("{running} running of {}", campaigns.len())),
        (_, 0) => System::other(NAME, Light::Unset, format!("none of {} is running", campaigns.len()), Mend::StartCampaign, "start one"),
        (_, failed) => {
            let words = campaigns.iter().find(|c| c.execution_status == Status::Error).map_or("", |c| c.status_reason.as_str());
            System::other(NAME, Light::Bad, format!("{failed} cannot go on: {words}"), Mend::StartCampaign, "mend it, then start again")
        }
    }
}

/// How long ago, in the largest unit.
fn ago(span: Duration) -> String {
    match span.num_seconds().max(0) {
        0..5 => "just now".to_owned(),
        s @ 5..120 => format!("{s} s ago"),
        s @ 120..7200 => format!("{} min ago", s / 60),
        s @ 7200..172_800 => format!("{} h ago", s / 3600),
        s => format!("{} days ago", s / 86_400),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} kB", bytes >> 10),
        1_048_576..10_737_418_240 => format!("{} MB", bytes >> 20),
        _ => format!("{} GB", bytes >> 30),
    }
}
