//! `status`: who dials or why nobody does, in one look.

use std::{net::SocketAddr, time::Duration};

use chrono::Duration as Span;
use indicatif::HumanBytes;
use serde_json::{Value, json};

use super::{CliError, out::say, session::Session};
use crate::{
    app,
    desk::DeskError,
    domain::{campaign::Status, dispatch, text::clean},
    store::{Setting, StoreError},
    telephony::{Carrier, probe::Probe},
};

/// An engine that has not reported for so long is not there.
const SILENT: Span = Span::seconds(90);

/// The listener and LiveKit answer within this, or do not.
const PATIENCE: Duration = Duration::from_secs(3);

/// A part's line: its name, words, and its document.
struct Part {
    name: &'static str,
    words: String,
    value: Value,
}

pub async fn status(s: &Session) -> Result<(), CliError> {
    let parts =
        [engine(s).await?, kill_switch(s).await?, listener(s.config.listen).await, livekit(s).await, database(s).await?, campaigns(s).await?, lines(s).await?];
    if s.json {
        let all: serde_json::Map<String, Value> = parts.into_iter().map(|p| (p.name.replace(' ', "_"), p.value)).collect();
        say!("{}", Value::Object(all));
        return Ok(());
    }
    for part in parts {
        say!("{:<12} {}", part.name, part.words);
    }
    Ok(())
}

async fn engine(s: &Session) -> Result<Part, DeskError> {
    let store = s.desk.store();
    let row = store.engine().await?;
    let alive = row.as_ref().filter(|e| s.desk.now() - e.heartbeat_at < SILENT);
    let mut standing = s.desk.standing().await?;
    standing.unwell = match (alive, store.setting(Setting::EngineHealth).await?) {
        (_, Some(words)) => Some((words, None)),
        (None, None) => Some(("no engine is running: start `dialdeck` or `dialdeck serve`".to_owned(), None)),
        (Some(_), None) => None,
    };
    let why_not = dispatch::installation(&standing).err().map(|closed| closed.message);
    let who = match (&row, alive) {
        (_, Some(e)) => format!("process {} on {} since {}", e.pid, clean(&e.host, 64), e.started_at.format("%Y-%m-%d %H:%M UTC")),
        (Some(e), None) => format!("none; process {} on {} was last seen {}", e.pid, clean(&e.host, 64), e.heartbeat_at.format("%Y-%m-%d %H:%M UTC")),
        (None, None) => "none so far".to_owned(),
    };
    let words = why_not.as_ref().map_or_else(|| format!("{who}: may dial"), |why| format!("{who}: dials nothing: {why}"));
    let value = json!({
        "alive": alive.is_some(), "process": row.as_ref().map(|e| e.pid), "host": row.as_ref().map(|e| &e.host), "since": row.as_ref().map(|e| e.started_at),
        "heartbeatAt": row.as_ref().map(|e| e.heartbeat_at), "mayDial": why_not.is_none(), "whyNot": why_not,
    });
    Ok(Part { name: "engine", words, value })
}

async fn kill_switch(s: &Session) -> Result<Part, DeskError> {
    let standing = s.desk.standing().await?;
    let words = match &standing.kill_switch {
        None => "off".to_owned(),
        Some(reason) if reason.is_empty() => "ON: nothing is dialled on any host".to_owned(),
        Some(reason) => format!("ON: {reason}"),
    };
    Ok(Part { name: "kill switch", words, value: json!({ "on": standing.kill_switch.is_some(), "reason": standing.kill_switch }) })
}

async fn listener(addr: SocketAddr) -> Part {
    // Bound to every address, it is asked at this machine's own.
    let host = if addr.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], addr.port())) } else { addr };
    let answered = match Probe::new(PATIENCE) {
        Ok(probe) => probe.get(&format!("http://{host}/readyz")).await,
        Err(e) => Err(e),
    };
    let words = match &answered {
        Ok(a) if a.status == 200 => format!("answers at {addr}, ready"),
        Ok(a) => format!("answers at {addr}, not ready: {}", clean(&message(&a.body), 200)),
        Err(why) => format!("nothing answers at {addr} ({why})"),
    };
    let ready = answered.as_ref().is_ok_and(|a| a.status == 200);
    Part { name: "listener", words, value: json!({ "address": addr.to_string(), "answers": answered.is_ok(), "ready": ready }) }
}

/// The words of a refusal.
fn message(body: &str) -> String {
    let told: Option<Value> = serde_json::from_str(body).ok();
    told.and_then(|t| Some(t["message"].as_str()?.to_owned())).unwrap_or_else(|| body.to_owned())
}

async fn livekit(s: &Session) -> Part {
    let Some(config) = &s.config.livekit else {
        return Part { name: "LiveKit", words: "none is configured (LIVEKIT_HOST)".to_owned(), value: json!({ "configured": false }) };
    };
    let host = crate::config::shown("livekit.host", &config.host);
    let asked = match app::open_carrier(&s.config) {
        Ok(Some(carrier)) => {
            tokio::time::timeout(PATIENCE, carrier.check()).await.map_or_else(|_| Err("no reply in time".to_owned()), |r| r.map_err(|e| e.to_string()))
        }
        Ok(None) => Err("none is configured".to_owned()),
        Err(e) => Err(e.to_string()),
    };
    let words = match &asked {
        Ok(()) => format!("{host} answers and takes our key"),
        Err(why) => format!("{why}; `dialdeck doctor` finds out more"),
    };
    Part { name: "LiveKit", words, value: json!({ "configured": true, "host": host, "well": asked.is_ok(), "trouble": asked.err() }) }
}

async fn database(s: &Session) -> Result<Part, DeskError> {
    let store = s.desk.store();
    let ((schema, _), bytes) = (store.schema_version().await?, store.bytes().await?);
    let words = format!("{}, {}, schema {schema}", store.path(), HumanBytes(bytes));
    Ok(Part { name: "database", words, value: json!({ "path": store.path(), "bytes": bytes, "schema": schema }) })
}

async fn campaigns(s: &Session) -> Result<Part, CliError> {
    let all = s.campaigns().await?;
    let running: Vec<&str> = all.iter().filter(|c| c.execution_status == Status::Running).map(|c| c.name.as_str()).collect();
    let mut waiting = 0;
    for c in &all {
        waiting += s.desk.people(c).await?.waiting;
    }
    let others = s.desk.store().owners().await.map_err(DeskError::from)?;
    let names = if running.is_empty() { String::new() } else { format!(" ({})", running.join(", ")) };
    let more = if others > 1 && s.owners().len() == 1 { format!("; {others} owners have campaigns: --as all") } else { String::new() };
    let words = format!("{} running{names} of {}; {waiting} people waiting{more}", running.len(), all.len());
    Ok(Part { name: "campaigns", words, value: json!({ "running": running, "total": all.len(), "queued": waiting, "owners": others }) })
}

async fn lines(s: &Session) -> Result<Part, DeskError> {
    // The lines are the installation's, whoever talks.
    let desk = s.desk.whole();
    let store = desk.store();
    let live = store.open_calls().await?.iter().filter(|c| c.state.is_open()).count();
    let trunks = store.trunks().await.map_err(|e: StoreError| DeskError::from(e))?;
    let each: Vec<String> = trunks.iter().map(|t| format!("{} of {} over \"{}\"", t.live, t.max_live, t.name)).collect();
    let words = format!("{live} calls live{}", if each.is_empty() { "; no trunk".to_owned() } else { format!("; {}", each.join(", ")) });
    let rows: Vec<Value> = trunks.iter().map(|t| json!({ "trunk": t.livekit_id, "name": t.name, "live": t.live, "most": t.max_live })).collect();
    Ok(Part { name: "lines", words, value: json!({ "live": live, "trunks": rows }) })
}
