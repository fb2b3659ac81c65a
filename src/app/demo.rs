//! The demonstration: a throw-away database, three sample campaigns, and the built-in simulator on
//! free loopback ports. No phone rings, and no configured host is ever asked.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{App, AppError, StartOptions};
use crate::{
    clock::{Clock, ScaledClock, SharedClock, SystemClock},
    config::{self, Config, Sources},
    desk::{AssignNumber, CampaignDraft, Import, ImportError, Progress},
    domain::{
        campaign::{ContactSource, Settings},
        id::{AssistantId, SourceId},
        legal,
        phone::PhoneNumber,
        retry::RetryRules,
        schedule::{self, Days},
        zone,
    },
    store::ContactTable,
    telephony::{
        Carrier, NewTrunk,
        simulator::{Behaviour, Faults, Reports, Simulator, SimulatorConfig},
    },
};

#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// Contacts of the first campaign.
    pub contacts: usize,
    pub seed: u64,
    /// Rings last 2 to 8 s and talks 10 to 90 s at speed 1.
    pub speed: f64,
}

/// The running demonstration; everything goes with it.
pub struct Demo {
    pub app: App,
    pub config: Config,
    pub simulator: Simulator,
    pub clock: SharedClock,
    _folder: TempFolder,
}

/// A folder that is removed with its contents.
struct TempFolder(std::path::PathBuf);

impl TempFolder {
    fn new() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let path = std::env::temp_dir().join(format!("dialdeck-demo-{}", uuid::Uuid::new_v4().simple()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(target: "app", error = %e, "the demonstration's folder could not be removed");
        }
    }
}

/// Number ranges that belong to nobody: prefix, how many digits are free, a city to name.
const RANGES: [(&str, usize); 16] = [
    ("+1202555 01", 2),
    ("+1212555 01", 2),
    ("+1404555 01", 2),
    ("+1312555 01", 2),
    ("+1214555 01", 2),
    ("+1303555 01", 2),
    ("+1602555 01", 2),
    ("+1206555 01", 2),
    ("+1415555 01", 2),
    ("+1808555 01", 2),
    ("+44207946 0", 3),
    ("+44161496 0", 3),
    ("+44131496 0", 3),
    ("+6125550 ", 4),
    ("+6135550 ", 4),
    ("+6185550 ", 4),
];

/// So many people at least can be called when a demonstration begins.
const ENOUGH: usize = 100;

const FIRST: [&str; 16] =
    ["Jane", "Omar", "Linda", "Mei", "Pavel", "Ana", "Tomas", "Ravi", "Grace", "Yusuf", "Ines", "Noah", "Aisha", "Lars", "Chloe", "Diego"];
const LAST: [&str; 16] =
    ["Roe", "Haddad", "Okafor", "Tan", "Novak", "Lima", "Berg", "Shah", "Miller", "Demir", "Costa", "Fischer", "Khan", "Olsen", "Martin", "Reyes"];
const PLAN: [&str; 4] = ["Basic", "Pro", "Team", "none yet"];
const COMPANY: [&str; 6] = ["Northwind", "Acme Tools", "Bluebird Foods", "Harbor Labs", "Pine & Co", "Lumen Energy"];

impl Demo {
    /// The time of a demonstration: the host's, or from the next hour at which anybody can be called.
    #[must_use]
    pub fn clock(speed: f64) -> SharedClock {
        Arc::new(ScaledClock::new(moment(SystemClock::new().now()), speed))
    }

    /// # Errors
    /// When the folder, a port or the simulator cannot be had.
    pub async fn start(options: DemoOptions, clock: SharedClock) -> Result<Self, AppError> {
        let folder = TempFolder::new()?;
        let sim = SimulatorConfig {
            behaviour: Behaviour::Mix { seed: options.seed },
            faults: Faults { seed: options.seed, ..Faults::default() },
            departure_timeout: Duration::from_secs(4),
            reports: Reports::Rest,
            ..SimulatorConfig::by_digits()
        };
        let simulator = Simulator::start(sim.clone(), clock.clone()).await.map_err(AppError::Simulator)?;
        let mut config = Self::config(&folder, &simulator, &sim)?;
        // The port must be known before the engine tells agents where to report.
        config.listen = free_port().await?;
        config.public_url = Some(format!("http://{}", config.listen));
        let app = App::start(&config, StartOptions::default(), clock.clone()).await?;
        if let Some(address) = app.address {
            simulator.set_webhook_url(Some(format!("http://{address}/api/v1/livekit/webhook")));
        }
        let demo = Self { app, config, simulator, clock, _folder: folder };
        demo.fill(options).await?;
        Ok(demo)
    }

    /// Only defaults, the simulator and the folder: no environment, no file, no other host.
    fn config(folder: &TempFolder, simulator: &Simulator, sim: &SimulatorConfig) -> Result<Config, AppError> {
        let flag = |key: &'static str, value: String| (key, value);
        let sources = Sources {
            flags: vec![
                flag("database.url", format!("sqlite:{}", folder.0.join("demo.db").display())),
                flag("livekit.host", simulator.url()),
                flag("livekit.api_key", sim.api_key.clone()),
                flag("livekit.api_secret", sim.api_secret.clone()),
                flag("trunk.calls_per_second", "4".to_owned()),
                flag("trunk.max_concurrent", "40".to_owned()),
                flag("compliance.countries", "US,GB,AU".to_owned()),
            ],
            ..Sources::default()
        };
        let values = config::extract(&sources).map_err(|e| AppError::Config(e.to_string()))?;
        config::validate(&values).map_err(|e| AppError::Config(e.to_string()))
    }

    async fn fill(&self, options: DemoOptions) -> Result<(), AppError> {
        let now = self.clock.now();
        let assistant = self.assistant().await?;
        let (open, all) = (numbers(options.contacts, options.seed, Some(now)), numbers(options.contacts / 2 + 20, options.seed ^ 0xA5, None));
        let sales = self.import("q4-leads.csv", &open).await?;
        let renewals = self.import("renewals.csv", &all).await?;
        let survey = self.import("survey.csv", &all[..all.len().min(60)]).await?;
        let base = Settings {
            daily_cap: 500,
            calling_days: Days::ALL,
            start_hour: 0,
            end_hour: 0,
            max_concurrent: 12,
            call_delay_ms: 700,
            max_call_duration_s: 300,
            retry: RetryRules { no_answer_minutes: 10, ..RetryRules::default() },
            ..Settings::defaults(super::host_zone())
        };
        let closed = later_hours(now);
        // Newest first on the screen: the one to start is made last.
        self.campaign(assistant, survey, "Survey NPS", "Hello {name}, how likely are you to recommend {company|us}?", closed.clone().unwrap_or(base.clone()))
            .await?;
        let slow = Settings { daily_cap: 120, max_concurrent: 4, call_delay_ms: 2500, ..base.clone() };
        self.campaign(assistant, renewals, "Renewals", "Hello {first_name}, your plan is up for renewal.", slow).await?;
        self.campaign(assistant, sales, "Q4 Sales", "Hello {name}, this is Sarah from Acme Corp. I'm calling about our Q4 special offer.", base).await
    }

    async fn assistant(&self) -> Result<AssistantId, AppError> {
        let actor = self.app.actor.clone();
        let desk = &self.app.desk;
        let row = desk.add_assistant(actor.clone(), None, "Sarah".to_owned(), None, "You are Sarah, calling for Acme Corp.".to_owned(), None).await?;
        let Some(carrier) = &self.app.carrier else { return Ok(row.id) };
        let new = NewTrunk {
            name: "demo".to_owned(),
            address: "simulated.pstn.example".to_owned(),
            number: "+12025550100".to_owned(),
            username: String::new(),
            password: crate::config::Secret::default(),
            transport: "auto".to_owned(),
            metadata: String::new(),
        };
        let trunk = Carrier::create_trunk(carrier.as_ref(), new).await?;
        let number = PhoneNumber::own("+12025550100").map_err(|e| AppError::Config(e.to_string()))?;
        let assign = AssignNumber {
            number,
            assistant: row.id,
            livekit_trunk: trunk.trunk_id,
            trunk_name: trunk.name,
            address: trunk.address,
            numbers: trunk.numbers,
            inbound_trunk: None,
        };
        desk.assign_number(actor, assign).await?;
        Ok(row.id)
    }

    async fn import(&self, name: &str, numbers: &[String]) -> Result<SourceId, AppError> {
        let mut csv = "name,phone,company,email,plan,consent_at\n".to_owned();
        for (i, number) in numbers.iter().enumerate() {
            let (first, last) = (FIRST[i * 7 % 16], LAST[(i / 3) * 5 % 16]);
            let (company, plan) = (COMPANY[i % 6], PLAN[i % 4]);
            csv.push_str(&format!("{first} {last},{number},{company},{}@example.com,{plan},2026-01-15\n", first.to_lowercase()));
        }
        let import =
            Import { table: ContactTable::CsvFile, name: name.to_owned(), region: None, mapping: Vec::new(), size: Some(csv.len() as u64), dry_run: false };
        let progress = tokio::sync::watch::Sender::new(Progress::default());
        let done = self.app.desk.import(self.app.actor.clone(), import, std::io::Cursor::new(csv), progress, tokio_util::sync::CancellationToken::new()).await;
        done.map(|(id, _)| id).map_err(|e| match e {
            ImportError::Desk(e) => e.into(),
            e => AppError::Config(e.to_string()),
        })
    }

    async fn campaign(&self, assistant: AssistantId, source_id: SourceId, name: &str, prompt: &str, settings: Settings) -> Result<(), AppError> {
        let draft = CampaignDraft {
            name: name.to_owned(),
            assistant,
            source: ContactSource::CsvFile,
            source_id,
            prompt: prompt.to_owned(),
            agent_name: None,
            settings,
        };
        self.app.desk.create_campaign(self.app.actor.clone(), draft).await?;
        Ok(())
    }
}

/// A port that is free now, on loopback.
async fn free_port() -> Result<SocketAddr, AppError> {
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = tokio::net::TcpListener::bind(addr).await.map_err(|e| AppError::Listen { addr, why: e.to_string() })?;
    listener.local_addr().map_err(AppError::Io)
}

/// Numbers of the ranges that are open now (or of all), well mixed.
fn numbers(n: usize, seed: u64, open_at: Option<DateTime<Utc>>) -> Vec<String> {
    use crate::telephony::simulator::die;
    let usable: Vec<(String, usize)> = RANGES
        .iter()
        .map(|(prefix, free)| (prefix.replace(' ', ""), *free))
        .filter(|(prefix, free)| {
            let sample = format!("{prefix}{}", "1".repeat(*free));
            let Ok(p) = PhoneNumber::parse(&sample, None) else { return false };
            let zones = &zone::candidates(&sample, &p.country, p.geographic).zones;
            let reading = legal::Reading { careful_us: false, automatic: true, unlisted_open: false };
            let laws = legal::of(&legal::places(&p.country, &sample, []), reading);
            // Open now, and for an hour at least.
            open_at.is_none_or(|now| [now, now + chrono::Duration::hours(1)].iter().all(|t| legal::open_in_all(&laws, zones, *t).is_ok()))
        })
        .collect();
    let mut out: Vec<String> = Vec::with_capacity(n);
    let mut seen = std::collections::HashSet::new();
    let mut state = seed;
    // The ranges together hold tens of thousands of numbers; a demonstration asks for hundreds.
    for _ in 0..n * 50 {
        if out.len() == n || usable.is_empty() {
            break;
        }
        state = die(state);
        let (prefix, free) = &usable[usize::try_from(state % 1009).unwrap_or(0) % usable.len()];
        let number = format!("{prefix}{:0width$}", (state >> 20) % 10u64.pow(u32::try_from(*free).unwrap_or(2)), width = *free);
        if seen.insert(number.clone()) {
            out.push(number);
        }
    }
    out
}

/// The moment at which a demonstration begins: now, or, where the law has every sample number's place closed (hours of a
/// weekend), half hours later until enough are open.
fn moment(now: DateTime<Utc>) -> DateTime<Utc> {
    let mut later = (0..96).map(|half_hours| now + chrono::Duration::minutes(30 * half_hours));
    later.find(|t| numbers(ENOUGH, 1, Some(*t)).len() == ENOUGH).unwrap_or(now)
}

/// Settings whose hours open two hours from now: what a waiting campaign looks like.
fn later_hours(now: DateTime<Utc>) -> Option<Settings> {
    let zone = super::host_zone();
    let hour = i64::from(chrono::Timelike::hour(&now.with_timezone(&zone)));
    let start = (hour + 2) % 24;
    let settings = Settings { calling_days: Days::ALL, start_hour: start, end_hour: (start + 8) % 24, daily_cap: 200, ..Settings::defaults(zone) };
    schedule::Window::new(Days::ALL, 0, 0).and(settings.window()).map(|_| settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_number_is_valid_and_some_are_open_whenever_it_begins() {
        let week: DateTime<Utc> = "2026-11-25T00:30:00Z".parse().unwrap();
        for hour in 0..7 * 24 {
            let now = week + chrono::Duration::hours(hour);
            let begins = moment(now);
            let found = numbers(100, 7, Some(begins));
            assert_eq!(found.len(), 100, "at {now}, begun at {begins}");
            assert!(begins - now < chrono::Duration::hours(24), "at {now}, begun at {begins}");
            for n in found {
                PhoneNumber::parse(&n, None).unwrap_or_else(|e| panic!("{n}: {e}"));
            }
        }
        let wednesday: DateTime<Utc> = "2026-11-25T15:30:00Z".parse().unwrap();
        assert_eq!(moment(wednesday), wednesday, "where people can be called it is now");
        for n in numbers(500, 3, None) {
            PhoneNumber::parse(&n, None).unwrap_or_else(|e| panic!("{n}: {e}"));
        }
    }
}
