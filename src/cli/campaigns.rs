//! Campaigns without a screen.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    CliError,
    args::{CampaignCommand, Change, Knobs},
    export,
    out::say,
    session::Session,
};
use crate::{
    api::rows,
    app,
    desk::{Actor, CampaignDraft, Desk, DeskError, Recycle},
    domain::{
        campaign::Settings,
        id::CampaignId,
        schedule::{self, Days},
        zone::Zone,
    },
    store::{CampaignEdit, CampaignRow},
};

pub async fn campaign(s: &Session, command: CampaignCommand) -> Result<(), CliError> {
    match command {
        CampaignCommand::Create { name, assistant, contacts, knobs } => create(s, name, &assistant, &contacts, knobs).await,
        CampaignCommand::List => list(s).await,
        CampaignCommand::Show { campaign } => show(s, &campaign).await,
        CampaignCommand::Edit { campaign, change } => edit(s, &campaign, change).await,
        CampaignCommand::Copy { campaign, name, contacts, assistant } => copy(s, &campaign, name, contacts, assistant).await,
        CampaignCommand::Start { campaign } => start(s, &campaign).await,
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
        CampaignCommand::Export { campaign, format, output, raw } => export::export(s, &campaign, format, output, raw).await,
        CampaignCommand::Why { campaign } => {
            let row = s.campaign(&campaign).await?;
            let why = s.desk.explain(&row).await?;
            let words = why.lines(row.zone(), s.desk.now()).join("\n  ");
            s.say(&words, &json!({ "gate": why.gate, "message": why.message, "until": why.until, "waiting": why.waiting }));
            Ok(())
        }
    }
}

async fn start(s: &Session, campaign: &str) -> Result<(), CliError> {
    let row = s.campaign(campaign).await?;
    s.desk.start(s.actor.clone(), row.id).await?;
    let row = s.campaign(&row.id.to_string()).await?;
    let p = s.desk.preflight(&row).await?;
    let until = p.waiting_until.map_or_else(String::new, |t| format!(", from {t}"));
    let mut words = format!(
        "started \"{}\": {} contacts, {} can be called now by the law, {} do-not-call. {}{until}",
        row.name, p.contacts, p.dialable_now, p.do_not_call, p.why
    );
    if p.contacts_without_fields > 0 {
        words.push_str(&format!("\n{} contacts lack {} and will not be called", p.contacts_without_fields, p.missing_fields.join(", ")));
    }
    s.say(&words, &json!({ "campaign": row.id, "preflight": p }));
    Ok(())
}

fn recycle(results: &[String]) -> Result<Recycle, CliError> {
    results.iter().flat_map(|r| r.split(',')).try_fold(Recycle::default(), |r, word| r.with(word.trim()).map_err(CliError::Usage))
}

type Act = Box<dyn Future<Output = Result<(), DeskError>> + Send>;

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

/// The settings with what the flags say.
fn turned(mut settings: Settings, knobs: &Knobs) -> Result<Settings, CliError> {
    let set = |to: &mut i64, value: Option<i64>| *to = value.unwrap_or(*to);
    set(&mut settings.daily_cap, knobs.cap);
    set(&mut settings.max_concurrent, knobs.concurrent);
    set(&mut settings.call_delay_ms, knobs.delay);
    set(&mut settings.ring_timeout_s, knobs.ring);
    set(&mut settings.max_call_duration_s, knobs.longest);
    set(&mut settings.retry.max_attempts, knobs.attempts);
    set(&mut settings.retry.no_answer_minutes, knobs.after_no_answer);
    set(&mut settings.retry.busy_minutes, knobs.after_busy);
    set(&mut settings.retry.trunk_minutes, knobs.after_trunk);
    if let Some(zone) = &knobs.timezone {
        settings.timezone = Zone::typed(zone).map_err(|e| CliError::Usage(format!("--timezone: {e}")))?;
    }
    if let Some(days) = &knobs.days {
        settings.calling_days = Days::parse(&days.split(',').collect::<Vec<_>>()).map_err(|d| CliError::Usage(format!("\"{d}\" is no weekday")))?;
    }
    if let Some(hours) = &knobs.hours {
        let parsed = hours.split_once('-').and_then(|(from, to)| Some((hour_and_minute(from)?, hour_and_minute(to)?)));
        let (from, to) = parsed.ok_or_else(|| CliError::Usage(format!("--hours wants 9-17 or 9:30-17:15, not \"{hours}\"")))?;
        (settings.start_hour, settings.start_minute) = from;
        (settings.end_hour, settings.end_minute) = to;
    }
    Ok(settings)
}

/// An agent worker's name as typed: an empty one is the assistant's.
fn agent(typed: String) -> Option<String> {
    Some(typed).filter(|a| !a.is_empty())
}

async fn create(s: &Session, name: String, assistant: &str, contacts: &str, knobs: Knobs) -> Result<(), CliError> {
    let settings = turned(Settings::defaults(s.config.timezone.unwrap_or_else(app::host_zone)), &knobs)?;
    let source = s.source(contacts).await?;
    let draft = CampaignDraft {
        name,
        assistant: s.assistant(assistant).await?,
        source: source.source,
        source_id: source.id,
        prompt: knobs.prompt.unwrap_or_default(),
        agent_name: knobs.agent.and_then(agent),
        settings,
    };
    made(s, draft).await
}

async fn made(s: &Session, draft: CampaignDraft) -> Result<(), CliError> {
    let name = draft.name.clone();
    let id = s.desk.create_campaign(s.actor.clone(), draft).await?;
    s.say(&format!("{id}"), &json!({ "id": id, "name": name }));
    Ok(())
}

async fn edit(s: &Session, campaign: &str, change: Change) -> Result<(), CliError> {
    if change == Change::default() {
        return Err(CliError::Usage("say what is to change, such as --cap 200; `dialdeck campaign edit --help` lists it".to_owned()));
    }
    let row = s.campaign(campaign).await?;
    let Change { name, assistant, knobs } = change;
    let edit = CampaignEdit {
        name: name.unwrap_or_else(|| row.name.clone()),
        assistant: match assistant {
            Some(wanted) => s.assistant(&wanted).await?,
            None => row.assistant_id,
        },
        settings: turned(row.settings(), &knobs)?,
        prompt: knobs.prompt.unwrap_or_else(|| row.campaign_prompt.clone()),
        agent_name: knobs.agent.map_or_else(|| row.agent_name.clone(), agent),
    };
    s.desk.edit_campaign(s.actor.clone(), row.id, edit).await?;
    s.say(&format!("changed \"{}\"", row.name), &json!({ "campaign": row.id, "done": "changed" }));
    Ok(())
}

async fn copy(s: &Session, campaign: &str, name: String, contacts: Option<String>, assistant: Option<String>) -> Result<(), CliError> {
    let row = s.campaign(campaign).await?;
    let (source, source_id) = match (contacts, row.source_id()) {
        (Some(wanted), _) => s.source(&wanted).await.map(|c| (c.source, c.id))?,
        (None, Some(id)) => (row.contact_source, id),
        (None, None) => return Err(CliError::Failed(format!("the contacts of \"{}\" are gone: name others with --contacts", row.name))),
    };
    let assistant = match assistant {
        Some(wanted) => s.assistant(&wanted).await?,
        None => row.assistant_id,
    };
    let settings = row.settings();
    made(s, CampaignDraft { name, assistant, source, source_id, prompt: row.campaign_prompt, agent_name: row.agent_name, settings }).await
}

async fn used_today(s: &Session, row: &CampaignRow) -> Result<i64, CliError> {
    let day = s.desk.store().campaign_day(row.id, schedule::local_day(row.zone(), s.desk.now())).await.map_err(DeskError::from)?;
    Ok(day.map_or(0, |d| d.used))
}

async fn show(s: &Session, campaign: &str) -> Result<(), CliError> {
    let row = s.campaign(campaign).await?;
    let (used, why) = (used_today(s, &row).await?, s.desk.explain(&row).await?);
    if s.json {
        say!("{}", json!({ "campaign": rows::status(&row, used, &why) }));
        return Ok(());
    }
    let contacts = row.contact_list_name.as_deref().or(row.csv_file_name.as_deref()).unwrap_or("gone");
    let retry = row.retry.0;
    let (c, p) = (&row.counts, &why.people);
    let reason = if row.status_reason.is_empty() { String::new() } else { format!(": {}", row.status_reason) };
    let lines = [
        ("id", row.id.to_string()),
        ("owner", row.user_id.to_string()),
        ("status", format!("{}{reason}", row.execution_status.as_str())),
        ("assistant", row.assistant_name.clone()),
        ("agent worker", row.agent_name.clone().or_else(|| row.assistant_agent_name.clone()).unwrap_or_else(|| s.config.agent_name.clone())),
        ("contacts", contacts.to_owned()),
        ("calls", format!("{} {}, {used} of {} today", row.window().label(), row.timezone, row.daily_cap)),
        ("pace", format!("{} at once, {} ms between two dials", row.max_concurrent, row.call_delay_ms)),
        ("rings", format!("{} s, a call lasts at most {} s", row.ring_timeout_s, row.max_call_duration_s)),
        (
            "attempts",
            format!(
                "{}; again {} min after no answer, {} after busy, {} after a trunk's failure",
                retry.max_attempts, retry.no_answer_minutes, retry.busy_minutes, retry.trunk_minutes
            ),
        ),
        (
            "people",
            format!(
                "{} in the list: {} called, {} on the line, {} waiting, {} left by the stop, {} do not call, {} turned away, {} not reached",
                p.contacts, p.called, p.on_the_line, p.waiting, p.stopped, p.do_not_call, p.turned_away, p.not_reached
            ),
        ),
        ("results", format!("{} dialled, {} answered, {} busy, {} no answer", c.dials, c.pickups, c.busy, c.no_answer)),
        (
            "outcomes",
            format!(
                "{} interested, {} not interested, {} callback, {} do not call, {} voicemail, {} wrong number",
                c.interested, c.not_interested, c.callback, c.do_not_call, c.voicemail, c.wrong_number
            ),
        ),
        ("script", row.script().to_owned()),
    ];
    say!("{}", row.name);
    for (what, text) in lines {
        say!("  {what:<13} {text}");
    }
    say!("  {:<13} {}", "why", why.lines(row.zone(), s.desk.now()).join("\n                "));
    Ok(())
}

async fn list(s: &Session) -> Result<(), CliError> {
    let campaigns = s.campaigns().await?;
    let mut people = HashMap::new();
    for c in &campaigns {
        people.insert(c.id, s.desk.people(c).await?);
    }
    if s.json {
        let row = |c: &CampaignRow| json!({ "id": c.id, "owner": c.user_id, "name": c.name, "status": c.execution_status, "counts": c.counts, "people": people[&c.id] });
        let rows: Vec<Value> = campaigns.iter().map(row).collect();
        say!("{}", json!({ "campaigns": rows, "total": rows.len() }));
        return Ok(());
    }
    for c in &campaigns {
        let p = people[&c.id];
        say!(
            "{}{}  {:<10} {:<24} {:>3} % done {:>6} waiting {:>5} live {:>6} dialled {:>6} answered  {} {}",
            s.owner_column(c.user_id),
            c.id,
            c.execution_status.as_str(),
            c.name,
            p.done_percent().unwrap_or(0),
            p.waiting,
            c.counts.live,
            c.counts.dials,
            c.counts.pickups,
            c.window().label(),
            c.timezone
        );
    }
    Ok(())
}
