//! The verbs without a screen: each is one function of the desk, with its result printed.

use std::{io::IsTerminal, os::unix::fs::OpenOptionsExt, path::PathBuf, time::Duration};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    CliError, Command,
    args::{AssistantCommand, CampaignCommand, ConfigCommand},
    calls, law, rules,
    session::Session,
    trunks,
};
use crate::{
    api::Role,
    app,
    config::{self, KEYS, Values},
    desk::{Actor, CampaignDraft, Desk, Import, Progress, Recycle},
    domain::{
        campaign::Settings,
        contact::ImportReport,
        csv::{self, Mapping},
        id::{CampaignId, OwnerId},
        schedule::Days,
        zone::Zone,
    },
    store::ContactTable,
};

pub async fn run(s: Session, command: Command) -> Result<(), CliError> {
    match command {
        Command::Import { file, list, csv: _, region, map, ignore_column, dry_run, rejects } => {
            let mapping = mapping(&map, &ignore_column)?;
            import(&s, file, list, region, mapping, dry_run, rejects).await
        }
        Command::Campaign(c) => campaign(&s, c).await,
        Command::Call(c) => calls::call(&s, c).await,
        Command::Assistant(c) => assistant(&s, c).await,
        Command::Number(c) => trunks::number(&s, c).await,
        Command::Trunk(c) => trunks::trunk(&s, c).await,
        Command::Dnc(c) => rules::dnc(&s, c).await,
        Command::Law(c) => law::law(&s, c).await,
        Command::Terms(c) => rules::terms(&s, c).await,
        Command::StopAll { release } => stop_all(&s, release).await,
        Command::Token { sub, role, ttl } => token(&s, sub, &role, &ttl).await,
        Command::Demo { .. } | Command::Serve | Command::Simulate { .. } | Command::Config(_) => Ok(()),
    }
}

/// Answers for what it could reach alone: an engine on another file hears nothing of it.
async fn stop_all(s: &Session, release: bool) -> Result<(), CliError> {
    s.desk.kill_switch(s.actor.clone(), !release).await?;
    let store = s.desk.store();
    if let Some(words) = app::unreached(std::path::Path::new(store.path()), store.file()) {
        let state = if release { "off" } else { "on" };
        return Err(CliError::Failed(format!("the kill switch is {state} in {}, but {words}", store.path())));
    }
    s.say(if release { "the kill switch is off" } else { "the kill switch is on: nothing is dialled on any host" }, &json!({ "on": !release }));
    Ok(())
}

/// Columns by hand, as `--map` and `--ignore-column` have them.
pub(super) fn mapping(map: &[String], ignored: &[String]) -> Result<Mapping, CliError> {
    let mut all = Mapping::new();
    for text in map {
        all.extend(csv::mapping(text).map_err(|e| CliError::Usage(format!("--map {e}")))?);
    }
    all.extend(ignored.iter().map(|c| (csv::IGNORE.to_owned(), c.clone())));
    Ok(all)
}

/// A cancelled import that waits for standard input is left so soon.
const PATIENCE: Duration = Duration::from_secs(2);

async fn import(
    s: &Session,
    file: PathBuf,
    list: Option<String>,
    code: Option<String>,
    mapping: Mapping,
    dry_run: bool,
    rejects: Option<PathBuf>,
) -> Result<(), CliError> {
    let stdin = file.as_os_str() == "-";
    let name = list.clone().unwrap_or_else(|| file.file_name().map_or_else(|| "stdin.csv".to_owned(), |n| n.to_string_lossy().into_owned()));
    let size = if stdin { None } else { std::fs::metadata(&file).ok().map(|m| m.len()) };
    let table = if list.is_some() { ContactTable::ContactList } else { ContactTable::CsvFile };
    let import = Import { table, name, region: s.region(code.as_deref())?, mapping, size, dry_run };
    let read: Box<dyn std::io::Read + Send> = if stdin {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(&file).map_err(|e| CliError::Failed(format!("cannot open {}: {e}", file.display())))?)
    };
    let progress = tokio::sync::watch::Sender::new(Progress::default());
    let shown = tokio::spawn(show_progress(progress.subscribe()));
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    // Ctrl-C cancels the import, which then leaves nothing behind.
    let given_up = async move {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        stop.cancel();
        tokio::time::sleep(PATIENCE).await;
    };
    let done = tokio::select! {
        done = s.desk.import(s.actor.clone(), import, read, progress, cancel) => done,
        () = given_up => return Err(CliError::Failed("the import was cancelled: no list was made".to_owned())),
    };
    drop(shown.await);
    let (id, report) = done?;
    if let Some(path) = rejects {
        write_rejects(&path, &report)?;
    }
    print_report(s, &id.to_string(), &report, dry_run);
    Ok(())
}

/// A bar on a terminal; nothing elsewhere.
async fn show_progress(mut progress: tokio::sync::watch::Receiver<Progress>) {
    let terminal = std::io::stderr().is_terminal();
    let started = std::time::Instant::now();
    let mut shown = std::time::Instant::now();
    while progress.changed().await.is_ok() {
        if !terminal || shown.elapsed().as_millis() < 100 {
            continue;
        }
        shown = std::time::Instant::now();
        let p = *progress.borrow();
        let percent = p.size.filter(|s| *s > 0).map_or(0, |s| (p.bytes * 100 / s).min(100));
        let bar = "#".repeat(usize::try_from(percent / 4).unwrap_or(0));
        let rate = u128::from(p.rows) * 1000 / started.elapsed().as_millis().max(1);
        eprint!("\r[{bar:.<25}] {percent:>3}%  {} rows  {rate}/s ", p.rows);
    }
    if terminal {
        eprint!("\r\x1b[K");
    }
}

fn write_rejects(path: &PathBuf, report: &ImportReport) -> Result<(), CliError> {
    let fail = |e: String| CliError::Failed(format!("cannot write {}: {e}", path.display()));
    // The owner's alone: reasons quote numbers.
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(|e| fail(e.to_string()))?;
    let mut out = ::csv::Writer::from_writer(file);
    out.write_record(["line", "reason"]).map_err(|e| fail(e.to_string()))?;
    for r in &report.rejects {
        out.write_record([r.line.to_string(), r.reason.clone()]).map_err(|e| fail(e.to_string()))?;
    }
    out.flush().map_err(|e| fail(e.to_string()))
}

fn print_report(s: &Session, id: &str, r: &ImportReport, dry_run: bool) {
    if s.json {
        return println!("{}", json!({ "id": id, "dryRun": dry_run, "report": r }));
    }
    let would = if dry_run { "would be " } else { "" };
    println!(
        "{} {would}imported, {} duplicate, {} invalid, {} do-not-call, {} without a time zone",
        r.imported, r.duplicate, r.invalid, r.do_not_call, r.no_zone
    );
    for remark in r.remarks.iter().take(20) {
        eprintln!("  line {}: kept, but {}", remark.line, remark.reason);
    }
    if r.remarked > 20 {
        eprintln!("  and {} more that were kept", r.remarked - 20);
    }
    if r.listed > 0 {
        println!("{} numbers are new on the do-not-call list", r.listed);
    }
    for reject in r.rejects.iter().take(20) {
        eprintln!("  line {}: {}", reject.line, reject.reason);
    }
    if r.rejects.len() > 20 {
        eprintln!("  and {} more; --rejects FILE writes them all", r.rejects.len() - 20);
    }
    if !dry_run {
        println!("{id}");
    }
}

async fn campaign(s: &Session, command: CampaignCommand) -> Result<(), CliError> {
    match command {
        create @ CampaignCommand::Create { .. } => create_campaign(s, create).await,
        CampaignCommand::List => list_campaigns(s).await,
        CampaignCommand::Start { campaign } => {
            let row = s.campaign(&campaign).await?;
            s.desk.start(s.actor.clone(), row.id).await?;
            let row = s.campaign(&row.id.to_string()).await?;
            let p = s.desk.preflight(&row).await?;
            let until = p.waiting_until.map_or_else(String::new, |t| format!(", from {t}"));
            let mut words =
                format!("started \"{}\": {} contacts, {} dialable now, {} do-not-call. {}{until}", row.name, p.contacts, p.dialable_now, p.do_not_call, p.why);
            if p.contacts_without_fields > 0 {
                words.push_str(&format!("\n{} contacts lack {} and will not be called", p.contacts_without_fields, p.missing_fields.join(", ")));
            }
            s.say(&words, &json!({ "campaign": row.id, "preflight": p }));
            Ok(())
        }
        CampaignCommand::Pause { campaign } => act(s, &campaign, "paused", |d, a, id| Box::pin(async move { d.pause(a, id).await })).await,
        CampaignCommand::Resume { campaign } => act(s, &campaign, "resumed", |d, a, id| Box::pin(async move { d.resume(a, id).await })).await,
        CampaignCommand::Delete { campaign } => act(s, &campaign, "deleted", |d, a, id| Box::pin(async move { d.delete_campaign(a, id).await })).await,
        CampaignCommand::Stop { campaign, hang_up } => {
            let row = s.campaign(&campaign).await?;
            let stopped = s.desk.stop(s.actor.clone(), row.id, hang_up).await?;
            s.say(
                &format!("stopped \"{}\": {} contacts not called, {} live calls{}", row.name, stopped.canceled, stopped.live, stopped.broken()),
                &json!({ "canceled": stopped.canceled, "live": stopped.live, "brokenPromises": stopped.promises }),
            );
            Ok(())
        }
        CampaignCommand::Recycle { campaign, results } => {
            let row = s.campaign(&campaign).await?;
            let n = s.desk.recycle(s.actor.clone(), row.id, recycle(&results)?).await?;
            s.say(&format!("{n} contacts of \"{}\" went back to the queue", row.name), &json!({ "campaign": row.id, "queued": n }));
            Ok(())
        }
        CampaignCommand::Export { campaign, format, raw } => calls::export(s, &campaign, format, raw).await,
        CampaignCommand::Why { campaign } => {
            let row = s.campaign(&campaign).await?;
            let why = s.desk.explain(&row).await?;
            let words = why.lines(row.zone(), s.desk.now()).join("\n  ");
            s.say(&words, &json!({ "gate": why.gate, "message": why.message, "until": why.until, "waiting": why.waiting }));
            Ok(())
        }
    }
}

fn recycle(results: &[String]) -> Result<Recycle, CliError> {
    results.iter().flat_map(|r| r.split(',')).try_fold(Recycle::default(), |r, word| match word.trim() {
        "no_answer" => Ok(Recycle { no_answer: true, ..r }),
        "busy" => Ok(Recycle { busy: true, ..r }),
        "voicemail" => Ok(Recycle { voicemail: true, ..r }),
        "callback" => Ok(Recycle { callback: true, ..r }),
        other => Err(CliError::Usage(format!("\"{other}\" is none of no_answer, busy, voicemail, callback"))),
    })
}

type Act = Box<dyn std::future::Future<Output = Result<(), crate::desk::DeskError>> + Send>;

async fn act(s: &Session, name: &str, done: &str, f: impl FnOnce(Desk, Actor, CampaignId) -> std::pin::Pin<Act>) -> Result<(), CliError> {
    let row = s.campaign(name).await?;
    f(s.desk.clone(), s.actor.clone(), row.id).await?;
    s.say(&format!("{done} \"{}\"", row.name), &json!({ "campaign": row.id, "done": done }));
    Ok(())
}

/// `9` or `9:30`.
fn hour_and_minute(text: &str) -> Option<(i64, i64)> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    Some((hour.parse().ok()?, minute.parse().ok()?))
}

async fn create_campaign(s: &Session, command: CampaignCommand) -> Result<(), CliError> {
    let CampaignCommand::Create { name, assistant, contacts, prompt, cap, days, hours, timezone, concurrent, delay, attempts } = command else { return Ok(()) };
    let zone = match timezone {
        Some(z) => Zone::typed(&z).map_err(|e| CliError::Usage(format!("--timezone: {e}")))?,
        None => s.config.timezone.unwrap_or_else(app::host_zone),
    };
    let mut settings = Settings::defaults(zone);
    settings.daily_cap = cap.unwrap_or(settings.daily_cap);
    settings.max_concurrent = concurrent.unwrap_or(settings.max_concurrent);
    settings.call_delay_ms = delay.unwrap_or(settings.call_delay_ms);
    settings.retry.max_attempts = attempts.unwrap_or(settings.retry.max_attempts);
    if let Some(days) = days {
        settings.calling_days = Days::parse(&days.split(',').collect::<Vec<_>>()).map_err(|d| CliError::Usage(format!("\"{d}\" is no weekday")))?;
    }
    if let Some(hours) = hours {
        let parsed = hours.split_once('-').and_then(|(from, to)| Some((hour_and_minute(from)?, hour_and_minute(to)?)));
        let (from, to) = parsed.ok_or_else(|| CliError::Usage(format!("--hours wants 9-17 or 9:30-17:15, not \"{hours}\"")))?;
        (settings.start_hour, settings.start_minute) = from;
        (settings.end_hour, settings.end_minute) = to;
    }
    let source = s.source(&contacts).await?;
    let draft = CampaignDraft {
        name: name.clone(),
        assistant: s.assistant(&assistant).await?,
        source: source.source,
        source_id: source.id,
        prompt,
        agent_name: None,
        settings,
    };
    let id = s.desk.create_campaign(s.actor.clone(), draft).await?;
    s.say(&format!("{id}"), &json!({ "id": id, "name": name }));
    Ok(())
}

async fn list_campaigns(s: &Session) -> Result<(), CliError> {
    let page = s.desk.store().campaigns(s.actor.owner, None, 500, 0).await.map_err(crate::desk::DeskError::from)?;
    if s.json {
        let rows: Vec<_> = page.rows.iter().map(|c| json!({ "id": c.id, "name": c.name, "status": c.execution_status, "counts": c.counts })).collect();
        println!("{}", json!({ "campaigns": rows, "total": page.total }));
        return Ok(());
    }
    for c in &page.rows {
        println!(
            "{}  {:<10} {:<24} {:>6} queued {:>5} live {:>6} dialled {:>6} answered  {} {}",
            c.id,
            c.execution_status.as_str(),
            c.name,
            c.counts.pending,
            c.counts.live,
            c.counts.dials,
            c.counts.pickups,
            c.window().label(),
            c.timezone
        );
    }
    Ok(())
}

async fn assistant(s: &Session, command: AssistantCommand) -> Result<(), CliError> {
    match command {
        AssistantCommand::Add { name, agent, prompt, language } => {
            let row = s.desk.add_assistant(s.actor.clone(), None, name, agent, prompt, language).await?;
            s.say(&row.id.to_string(), &json!({ "id": row.id, "name": row.name }));
        }
        AssistantCommand::List => {
            for a in s.desk.store().assistants(s.actor.owner).await.map_err(crate::desk::DeskError::from)? {
                println!("{}  {}", a.id, a.name);
            }
        }
    }
    Ok(())
}

async fn token(s: &Session, sub: Option<uuid::Uuid>, role: &str, ttl: &str) -> Result<(), CliError> {
    let role: Role = role.parse().map_err(CliError::Usage)?;
    if role == Role::Agent {
        return Err(CliError::Usage("an agent's token is of one call: the engine makes it with the dispatch".to_owned()));
    }
    let split = ttl.find(|c: char| !c.is_ascii_digit()).unwrap_or(ttl.len());
    let unit = match &ttl[split..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(CliError::Usage(format!("--ttl wants 30m, 1h or 7d, not \"{ttl}\""))),
    };
    let seconds: i64 =
        ttl[..split].parse::<i64>().map_err(|_| CliError::Usage(format!("--ttl wants 30m, 1h or 7d, not \"{ttl}\"")))?.saturating_mul(unit).min(366 * 86_400);
    let auth = app::open_auth(&s.config, &s.desk).await?;
    let owner = sub.map_or(s.actor.owner, OwnerId);
    let until = s.desk.now() + chrono::Duration::seconds(seconds);
    let token = auth.mint(owner, role, until, None).ok_or_else(|| CliError::Failed("the token could not be signed".to_owned()))?;
    println!("{token}");
    Ok(())
}

/// Shows, checks or locates the configuration. Secrets as `***`.
pub fn config(command: ConfigCommand, values: &Values, files: &[(PathBuf, bool)]) -> Result<(), CliError> {
    match command {
        ConfigCommand::Show => {
            for (key, _) in KEYS {
                let Some(v) = values.get(key) else { continue };
                println!("{key:<28} {:<36} {}", config::shown(key, &v.text), v.source);
            }
            Ok(())
        }
        ConfigCommand::Check => {
            config::validate(values)?;
            println!("the configuration is in order");
            println!("time zones {}, law of places {}", crate::domain::zone::version(), crate::domain::legal::version());
            Ok(())
        }
        ConfigCommand::Path => {
            for (path, _) in files {
                println!("{}{}", path.display(), if path.exists() { "" } else { " (not there)" });
            }
            Ok(())
        }
    }
}
