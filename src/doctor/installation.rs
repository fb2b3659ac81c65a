//! This installation's own: configuration, files, database, and whether anything may dial.

use chrono::Duration;

use super::{Finding, Patient, unread};
use crate::{
    desk::DeskError,
    domain::{dispatch, text::clean},
    store::Setting,
};

/// What is read at all was in order: here is what is missing in it.
pub fn configuration(p: &Patient) -> Vec<Finding> {
    let mut found = Vec::new();
    if p.config.livekit.is_none() {
        found.push(Finding::bad(
            "livekit_unset",
            "no LiveKit is configured: nothing can be dialled",
            "set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET; `dialdeck demo` practises without",
        ));
    }
    if !p.config.engine_enabled {
        found.push(Finding::warning("engine_off", "ENABLE_CAMPAIGN_ENGINE=false: nothing dials on this host", "set it to true where calls are to be made"));
    }
    if p.config.livekit.as_ref().is_some_and(|l| l.sip_uri.is_empty()) && !p.config.twilio_tokens.is_empty() {
        found.push(Finding::warning(
            "sip_uri_unset",
            "LIVEKIT_SIP_URI is not set: calls that come in are sent to the host of LIVEKIT_HOST",
            "set it to the SIP URI that LiveKit names, where calls come in",
        ));
    }
    if found.is_empty() {
        found.push(Finding::good("configuration", "in order; `dialdeck config show` prints it"));
    }
    found
}

pub fn files(p: &Patient) -> Vec<Finding> {
    let open = p.open_files.iter().map(|f| {
        let what = format!("{} can be read by everybody on this host", f.display());
        Finding::warning("file_open_to_all", what, format!("`chmod o= {}`", f.display()))
    });
    let open: Vec<_> = open.collect();
    if open.is_empty() { vec![Finding::good("files", "the database and .env are closed to strangers")] } else { open }
}

pub async fn database(p: &Patient) -> Vec<Finding> {
    let Some(desk) = &p.desk else {
        let path = crate::store::Store::path_of(&p.config.database_url);
        return vec![Finding::warning("database_missing", format!("there is no database {path} yet"), "the first start makes it")];
    };
    let store = desk.store();
    let facts = async { Ok::<_, DeskError>((store.version().await?, store.schema_version().await?, store.bytes().await?)) };
    let (version, (schema, _), bytes) = match facts.await {
        Ok(facts) => facts,
        Err(e) => return vec![Finding::bad("database_unread", format!("{} cannot be read: {e}", store.path()), "put a backup back: `dialdeck restore FILE`")],
    };
    if let Err(e) = desk.try_writing().await {
        let words = format!("nothing can be written into {}: {e}", store.path());
        return vec![Finding::bad("database_unwritable", words, "look for a full disk, the file's rights, or a process that holds it")];
    }
    let kind = if store.is_shared() { "PostgreSQL" } else { "SQLite" };
    let mut found = match super::server::server(desk, &p.config).await {
        Ok(found) => found,
        Err(e) => return unread("database_unread", &e),
    };
    if store.passes_by_owners() {
        let words = format!("the login at {} passes by the doors between owners, as a superuser does: only dialdeck itself keeps them closed", store.path());
        found.push(Finding::warning("database_superuser", words, "give dialdeck a login of its own: docs, \"PostgreSQL\""));
    }
    if !found.is_empty() {
        return found;
    }
    let away = store.round_trip().map_or_else(String::new, |far| format!(", {:.1} ms away", far.as_secs_f64() * 1000.0));
    vec![Finding::good("database", format!("{}: schema {schema}, {bytes} bytes, {kind} {version}{away}", store.path()))]
}

/// An engine that has not reported for so long is not there.
const SILENT: Duration = Duration::seconds(90);

/// What holds for all campaigns: the kill switch, the terms, the engine.
pub async fn dialling(p: &Patient) -> Vec<Finding> {
    let Some(desk) = &p.desk else { return super::no_rows() };
    match look(desk).await {
        Ok(found) => found,
        Err(e) => unread("dialling", &e),
    }
}

async fn look(desk: &crate::desk::Desk) -> Result<Vec<Finding>, DeskError> {
    let mut found = Vec::new();
    let standing = desk.standing().await?;
    if standing.kill_switch.is_some() {
        let words = dispatch::installation(&standing).err().map_or_else(String::new, |c| c.message);
        found.push(Finding::bad("kill_switch", words, "`dialdeck stop-all --release` when calls are to be made again"));
    }
    if standing.terms_missing {
        let way_out = "`dialdeck terms show`, then `dialdeck terms accept --name NAME`";
        found.push(Finding::bad("terms", "the terms of calling real phones are not accepted: no campaign dials", way_out));
    }
    let engine = desk.store().engine().await?;
    let alive = engine.as_ref().filter(|e| desk.now() - e.heartbeat_at < SILENT);
    let said = desk.store().setting(Setting::EngineHealth).await?;
    let running = !desk.store().running_campaigns().await?.is_empty();
    match (alive, said) {
        (Some(e), None) => {
            let since = e.started_at.format("%Y-%m-%d %H:%M UTC");
            found.push(Finding::good("engine", format!("process {} on {} dials since {since}", e.pid, clean(&e.host, 64))));
        }
        (Some(_), Some(words)) => found.push(Finding::bad("engine_unwell", words, "the checks below find the cause; the engine goes on by itself")),
        (None, _) if running => {
            found.push(Finding::bad("engine_away", "campaigns are running, but no engine is: nothing is dialled", "start `dialdeck` or `dialdeck serve`"));
        }
        (None, _) => found.push(Finding::warning("engine_away", "no engine is running", "start `dialdeck` or `dialdeck serve` to make calls")),
    }
    Ok(found)
}
