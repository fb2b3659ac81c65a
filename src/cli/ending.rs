//! How a program with live calls ends: as the operator, the terminal or a signal asked. What happens while nobody
//! watches is in the log.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use super::{CliError, out::tell};
use crate::{
    app::App,
    config::OnHangup,
    console::{ConsoleError, Drain, Ending},
    desk::{Actor, Desk},
    domain::{campaign::Status, text::clean},
};

/// Longer than any call lasts.
const FOREVER: Duration = Duration::from_hours(24);
const AT_ONCE: Duration = Duration::from_millis(10);

/// Ends as the operator or the terminal asked. A screen that broke down is a terminal that is gone.
pub fn finish(runtime: &Runtime, app: App, ended: Result<Ending, ConsoleError>, on_hangup: OnHangup, drain: &Drain) -> Result<(), CliError> {
    let (ending, failed) = match ended {
        Ok(ending) => (ending, None),
        Err(e @ ConsoleError::Panic(_)) => (Ending::TerminalGone, Some(CliError::Failed(e.to_string()))),
        Err(e @ ConsoleError::Terminal(_)) => (Ending::QuitNow, Some(CliError::Failed(e.to_string()))),
    };
    if matches!(ending, Ending::QuitNow | Ending::Again | Ending::Kept(_)) {
        app.stop_now();
    }
    if let Some(failed) = &failed {
        tell!("dialdeck: {failed}");
    }
    let done = runtime.block_on(async {
        let words = app.broken.borrow().clone();
        if let Some(words) = words {
            return Err(end_broken(app, &words).await);
        }
        tell_how(&app, ending, on_hangup, drain).await;
        let limit = match (ending, on_hangup) {
            (Ending::QuitNow | Ending::Again | Ending::Kept(_) | Ending::Broken, _) | (Ending::TerminalGone, OnHangup::Stop) => AT_ONCE,
            (Ending::Drain | Ending::TerminalGone, _) => FOREVER,
            (Ending::Terminated, _) => drain.left(),
        };
        let unseen = (ending == Ending::TerminalGone).then(|| (app.desk.clone(), app.actor.clone(), app.desk.now()));
        if ending == Ending::TerminalGone && on_hangup == OnHangup::Continue {
            tokio::select! {
                ended = wait_for_end() => ended?,
                words = app.must_end() => return Err(end_broken(app, &words).await),
            }
        }
        let done = see_off(app, limit).await;
        if let Some((desk, actor, since)) = unseen {
            tell_the_log(&desk, &actor, since).await;
        }
        done
    });
    if let (Ending::Kept(pid), Ok(())) = (ending, &done) {
        tell!("dialdeck: calls and campaigns go on in process {pid}, without a screen. `dialdeck` looks again; `kill {pid}` ends it after its live calls");
    }
    failed.map_or(done, Err)
}

/// What is left behind, on the terminal that the screen gave back: who waits for a tag, what runs on, and how to come
/// back.
pub fn tell_left(runtime: &Runtime, desk: &Desk, actor: &Actor, calls_go_on: bool) {
    let left = runtime.block_on(async {
        let campaigns = desk.store().campaigns(actor.owner, None, 500, 0).await.ok()?.rows;
        let open = desk.store().open_calls().await.ok()?.len();
        Some((campaigns, open))
    });
    // A database that does not answer is told where it matters.
    let Some((campaigns, open)) = left else { return };
    let untagged: i64 = campaigns.iter().map(|c| c.counts.untagged).sum();
    let running: Vec<String> = campaigns.iter().filter(|c| c.execution_status == Status::Running).map(|c| format!("\"{}\"", clean(&c.name, 60))).collect();
    let mut parts = Vec::new();
    if open > 0 && !calls_go_on {
        parts.push(format!("{} on the line, and the next start looks after {}", many(open, "call is", "calls are"), if open == 1 { "it" } else { "them" }));
    }
    if untagged > 0 {
        parts.push(many(usize::try_from(untagged).unwrap_or(0), "call waits for a tag", "calls wait for a tag"));
    }
    match (running.len(), calls_go_on) {
        (0, _) => {}
        (n, true) => parts.push(format!("{} in the other process: {}", many(n, "campaign goes on", "campaigns go on"), running.join(", "))),
        (n, false) => {
            let dials = if n == 1 { "it dials" } else { "they dial" };
            parts.push(format!(
                "{} ({}): {dials} again when dialdeck is next started",
                many(n, "campaign is running", "campaigns are running"),
                running.join(", ")
            ));
        }
    }
    if !parts.is_empty() {
        tell!("dialdeck: {}. `dialdeck` comes back to it", parts.join("; "));
    }
}

fn many(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// Says how it ends: on the terminal whom it waits for, in the log what becomes of a screen that is gone.
async fn tell_how(app: &App, ending: Ending, on_hangup: OnHangup, drain: &Drain) {
    let open = if app.following.borrow().is_some() { 0 } else { app.desk.store().open_calls().await.map_or(0, |rows| rows.len()) };
    match ending {
        Ending::Drain if open > 0 => tell!("dialdeck: starting no new calls; leaving when the {open} live have ended (Ctrl-C leaves at once)"),
        Ending::Terminated if open > 0 => tell!("dialdeck: ending; the {open} live calls are seen to their end for {} s at most", drain.left().as_secs()),
        Ending::TerminalGone => {
            let then = match on_hangup {
                OnHangup::Drain => "no new calls are started, live ones are seen to their end",
                OnHangup::Continue => "campaigns go on without it, until SIGTERM",
                OnHangup::Stop => "this process ends at once; the next start looks after live calls",
            };
            tracing::warn!(target: "app", "the screen is gone with {open} live: {then} ([engine] on_hangup)");
        }
        Ending::Drain | Ending::Terminated | Ending::QuitNow | Ending::Again | Ending::Kept(_) | Ending::Broken => {}
    }
}

/// What nobody saw, for whoever reads the log afterwards.
async fn tell_the_log(desk: &Desk, actor: &Actor, since: DateTime<Utc>) {
    let Ok(away) = desk.away(actor.owner, since).await else { return };
    let still = desk.store().open_calls().await.map_or(0, |rows| rows.len());
    let outcomes: Vec<String> = away.outcomes.iter().filter(|o| o.1 > 0).map(|(o, n)| format!("{n} {}", o.label())).collect();
    let tags = if outcomes.is_empty() { "no tags".to_owned() } else { outcomes.join(", ") };
    tracing::info!(
        target: "app",
        "while nobody watched, from {} to {}: {} dialled, {} of them answered, {tags}; {still} still live at the end",
        since.format("%H:%M:%S UTC"), away.until.format("%H:%M:%S UTC"), away.pace.dials, away.pace.answered,
    );
}

/// Ends at once, in words, with a failure's exit code: the lock falls free for who follows.
pub async fn end_broken(app: App, words: &str) -> CliError {
    app.stop_now();
    app.shut_down(AT_ONCE).await;
    CliError::Failed(format!(
        "{words}. This process has ended: calls on the line go on by themselves, and the next start, or a process that follows, looks after them. The log file has details"
    ))
}

/// Sees live calls to their end, until a signal or the limit says otherwise. A part that breaks down
/// meanwhile ends it in words.
pub async fn see_off(app: App, limit: Duration) -> Result<(), CliError> {
    let mut broken = app.broken.subscribe();
    tokio::select! {
        () = app.shut_down(limit) => Ok(()),
        ended = wait_for_end() => ended,
        Ok(words) = broken.wait_for(Option::is_some) => Err(CliError::Failed(words.clone().unwrap_or_default())),
    }
}

/// The next SIGTERM or SIGINT.
pub async fn wait_for_end() -> Result<(), CliError> {
    let fail = |e: std::io::Error| CliError::Failed(format!("no signals: {e}"));
    let (mut term, mut int) = (signal(SignalKind::terminate()).map_err(fail)?, signal(SignalKind::interrupt()).map_err(fail)?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
