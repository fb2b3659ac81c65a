//! What can be typed: one table of verbs, each with its words. A call is named by the number it was given, a
//! campaign by its name or number.

use super::{ask::Ask, news::agent_says, talk::Plain};
use crate::{
    console::{
        Ending, alerts, commands, dialogs,
        keys::{Action, Pane},
        message::Effect,
        possible,
        question::Question,
        rows::{count, display_name},
        state::State,
    },
    domain::{
        campaign::Status,
        id::{CallId, CampaignId},
        outcome::Outcome,
    },
    store::{CallSearch, PaneRow},
};

pub struct Verb {
    /// Its name, then what the screen's keys call it.
    names: &'static [&'static str],
    takes: &'static str,
    words: &'static str,
    run: fn(&mut Plain, &str),
}

const fn verb(names: &'static [&'static str], takes: &'static str, words: &'static str, run: fn(&mut Plain, &str)) -> Verb {
    Verb { names, takes, words, run }
}

pub const VERBS: &[Verb] = &[
    verb(&["status"], "", "how many are on the line, what waits, what is wrong", status),
    verb(&["calls", "L"], "", "calls on the line, and those just over", calls),
    verb(&["queue", "O"], "", "calls that wait for a tag, oldest first", queue),
    verb(&["campaigns", "C"], "", "campaigns and how far they are", campaigns),
    verb(&["tag"], "CALL [OUTCOME]", "tag a call: a digit 1 to 6, or the outcome's words", tag),
    verb(&["clear", "0"], "CALL", "take a call's tag away", clear),
    verb(&["undo", "u"], "", "take the last tag, or pause of all, back", undo),
    verb(&["note", "n"], "CALL WORDS", "a note on a call", note),
    verb(&["story"], "CALL", "everything that happened to a call", story),
    verb(&["hang-up", "hangup", "H"], "CALL", "hang up (asks)", hang_up),
    verb(&["find", "/"], "WORDS", "calls of any day, by name, last digits or a word of their note", find),
    verb(&["start", "s"], "CAMPAIGN", "start or resume a campaign", start),
    verb(&["pause", "p"], "CAMPAIGN", "pause a campaign, or all", pause),
    verb(&["resume"], "CAMPAIGN", "resume a campaign, or all that were paused together", resume),
    verb(&["stop", "x"], "CAMPAIGN", "stop a campaign (asks); all: the kill switch", stop),
    verb(&["release"], "", "release the kill switch (an admin; asks)", release),
    verb(&["why", "w"], "CAMPAIGN", "why is it not dialling?", why),
    verb(&["filter"], "[WORDS]", "tell only of calls with these words", filter),
    verb(&["mask", "M"], "", "hide numbers: but four digits, all, none", mask),
    verb(&["read-only", "readonly"], "", "change nothing from here, and back", read_only),
    verb(&["help", "?"], "", "this list", help),
    verb(&["quit", "q"], "", "leave (asks with live calls)", quit),
];

/// Does what a line says.
pub fn run(p: &mut Plain, line: &str) {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(n, r)| (n, r.trim()));
    if name == "P" {
        return all(p, if p.state.paused_all.is_some() { "resume all" } else { "pause all" });
    }
    match VERBS.iter().find(|v| v.names.contains(&name)) {
        Some(verb) => (verb.run)(p, rest),
        None if name.is_empty() => {}
        None => p.say(format!("there is no \"{name}\": `help` lists what can be typed")),
    }
}

fn help(p: &mut Plain, _: &str) {
    for v in VERBS {
        p.say(format!("{} {}: {}", v.names[0], v.takes, v.words).replace(" :", ":"));
    }
}

pub fn status(p: &mut Plain, _: &str) {
    let d = &p.state.data;
    let percent = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |n| format!("{n:.0} %"));
    let (hour, dials) = d.head.as_ref().map_or_else(Default::default, |h| (h.figures.hour, h.figures.dials_per_minute));
    let lines = [
        format!("{} running, {} paused", count_of(&p.state, Status::Running), count_of(&p.state, Status::Paused)),
        count(i64::try_from(d.live_count()).unwrap_or(0), "live call"),
        format!("{} to tag", p.state.to_tag()),
        format!("answered {}, failed {}", percent(hour.answered_percent()), percent(hour.failed_percent())),
        format!("{} in the last minute", count(dials, "dial")),
    ];
    let simulated = if p.state.options.simulated { "SIMULATED: no phone rings. " } else { "" };
    p.say(format!("{simulated}{}", lines.join("; ")));
    for alert in alerts::all(&p.state) {
        p.say(format!("! {}", alert.words));
    }
}

fn count_of(state: &State, status: Status) -> String {
    count(i64::try_from(state.data.campaigns_in(status)).unwrap_or(0), "campaign")
}

fn calls(p: &mut Plain, _: &str) {
    let rows: Vec<PaneRow> = p.state.live_rows().into_iter().cloned().collect();
    list(p, &rows, "no live calls");
}

fn queue(p: &mut Plain, _: &str) {
    let rows: Vec<PaneRow> = p.state.queue_rows().into_iter().cloned().collect();
    list(p, &rows, "all calls are tagged");
}

pub fn list(p: &mut Plain, rows: &[PaneRow], none: &str) {
    if rows.is_empty() {
        p.say(none);
    }
    for r in rows {
        p.calls.of(r.id);
        let line = described(p, r);
        p.say(line);
    }
}

/// A call in one line.
fn described(p: &mut Plain, r: &PaneRow) -> String {
    let number = p.calls.of(r.id);
    let since = r.answered_at.or(r.ringing_at).or(r.armed_at);
    let seconds = if r.state.is_ended() { r.call_duration } else { since.map_or(0, |t| (p.state.now - t).num_seconds().max(0)) };
    let time = if seconds > 0 { format!(", {}:{:02}", seconds / 60, seconds % 60) } else { String::new() };
    let says = if r.outcome.is_none() { agent_says(r) } else { String::new() };
    let tag = r.outcome.map_or(says, |o| format!(", tagged {}", o.label()));
    format!("{number} {}, {}, {}, {}{time}{tag}", display_name(r), p.state.number(&r.phone_number), r.campaign_name, r.state.words_if(r.armed_at.is_some()))
}

fn campaigns(p: &mut Plain, _: &str) {
    let rows: Vec<_> = p.state.data.campaigns.clone();
    if rows.is_empty() {
        p.say("no campaigns yet: `dialdeck campaign create --help`");
    }
    for c in rows {
        let (r, number) = (&c.row, p.campaigns.of(c.row.id));
        let (counts, waiting) = (&r.counts, p.state.data.people(&c).waiting);
        let reason = if r.status_reason.is_empty() { String::new() } else { format!(" ({})", r.status_reason) };
        let (cap, live) = (r.daily_cap, counts.live);
        p.say(format!(
            "{number} {}, {}{reason}, {live} live, {} waiting, {} of {cap} today, {} to tag",
            r.name,
            r.execution_status.as_str(),
            waiting,
            c.used_today,
            counts.untagged
        ));
    }
}

/// The call that a line names, and what stands behind its number.
fn named<'a>(p: &mut Plain, verb: &str, rest: &'a str) -> Option<(PaneRow, &'a str)> {
    let line = format!("{} {rest}", verb.split(' ').next().unwrap_or_default());
    let (number, rest) = rest.split_once(char::is_whitespace).map_or((rest, ""), |(n, r)| (n, r.trim()));
    let call: Option<CallId> = number.parse().ok().and_then(|n| p.calls.id(n));
    let row = call.and_then(|id| p.row(id)).filter(|r| p.fresh == Some(r.id) || p.is_shown(r.id));
    if let (None, Some(id)) = (&row, call) {
        // Over for a while: it is looked up, and the line comes again.
        p.waiting = Some((id, line));
        p.wants([Effect::Show(Some(id))]);
        return None;
    }
    if row.is_none() {
        let why = if number.is_empty() { format!("{verb} which call?") } else { format!("no call has the number \"{number}\" here:") };
        p.say(format!("{why} `calls`, `queue` and `find` give each its number"));
    }
    row.map(|r| (r, rest))
}

fn tag(p: &mut Plain, rest: &str) {
    let Some((row, outcome)) = named(p, "tag", rest) else { return };
    if outcome.is_empty() {
        if p.may_write() {
            p.put(Ask::Outcome { call: row.id, name: display_name(&row) });
        }
        return;
    }
    let found = Outcome::ALL.into_iter().find(|o| outcome.len() == 1 && outcome.starts_with(o.digit()) || o.label().eq_ignore_ascii_case(outcome));
    match found.map_or_else(|| outcome.parse::<Outcome>(), Ok) {
        Ok(outcome) => p.tag(row.id, Some(outcome)),
        Err(why) => p.say(why),
    }
}

fn clear(p: &mut Plain, rest: &str) {
    if let Some((row, _)) = named(p, "clear", rest) {
        p.tag(row.id, None);
    }
}

fn undo(p: &mut Plain, _: &str) {
    let name = possible::step_back(&p.state).unwrap_or_default();
    p.act(Action::Undo, |_| Some(Ask::Lift { name }));
}

fn note(p: &mut Plain, rest: &str) {
    let Some((row, words)) = named(p, "note on", rest) else { return };
    if words.is_empty() {
        let now = if row.notes.is_empty() { "no note".to_owned() } else { format!("note: {}", row.notes) };
        return p.say(format!("{}: {now}", display_name(&row)));
    }
    if p.may_write() {
        p.wants([Effect::Note { call: row.id, note: words.to_owned() }]);
    }
}

fn story(p: &mut Plain, rest: &str) {
    if let Some((row, _)) = named(p, "story of", rest) {
        p.story = Some(row.id);
        p.wants([Effect::Show(Some(row.id))]);
    }
}

fn hang_up(p: &mut Plain, rest: &str) {
    let Some((row, _)) = named(p, "hang-up", rest) else { return };
    let name = display_name(&row);
    if row.state.is_ended() {
        return p.say(format!("the call with {name} is over ({})", row.state.words()));
    }
    if p.may_write() {
        p.state.open(dialogs::HangUp { call: row.id, name: name.clone() });
        p.put(Ask::HangUp { name });
    }
}

/// The newest that fit.
const FOUND: usize = 20;

fn find(p: &mut Plain, words: &str) {
    if words.is_empty() {
        return p.say("find whom? A name, a word of a note, their beginning, or the last digits of the number");
    }
    let search = CallSearch { text: words.to_owned(), ..CallSearch::all(p.state.actor.owner, FOUND) };
    p.wants([Effect::Ask(Question::Calls(Box::new(search)))]);
}

/// The campaign that a line names: its name goes before a number.
fn campaign(p: &mut Plain, verb: &str, text: &str) -> Option<CampaignId> {
    let rows = &p.state.data.campaigns;
    let called: Vec<CampaignId> = rows.iter().filter(|c| c.row.name.eq_ignore_ascii_case(text)).map(|c| c.row.id).collect();
    let numbered = || text.parse().ok().and_then(|n| p.campaigns.id(n)).filter(|id| p.state.data.campaign(*id).is_some());
    match (called.as_slice(), text) {
        ([one], _) => return Some(*one),
        ([], "") => p.say(format!("{verb} which campaign? `campaigns` gives each its number")),
        ([], _) => match numbered() {
            Some(id) => return Some(id),
            None => p.say(format!("no campaign is called \"{text}\": `campaigns` lists them")),
        },
        _ => p.say(format!("more than one campaign is called \"{text}\": `campaigns` gives each its number")),
    }
    None
}

fn status_of(p: &Plain, id: CampaignId) -> Option<Status> {
    p.state.data.campaign(id).map(|c| c.row.execution_status)
}

fn start(p: &mut Plain, name: &str) {
    if let Some(id) = campaign(p, "start", name) {
        p.act_on(id, Action::Start, |_| None);
    }
}

fn pause(p: &mut Plain, name: &str) {
    if name == "all" {
        return all(p, "pause all");
    }
    let Some(id) = campaign(p, "pause", name) else { return };
    if status_of(p, id) == Some(Status::Running) {
        return p.act_on(id, Action::PauseResume, |_| None);
    }
    p.say("it is not running");
}

fn resume(p: &mut Plain, name: &str) {
    if name == "all" {
        return all(p, "resume all");
    }
    let Some(id) = campaign(p, "resume", name) else { return };
    if status_of(p, id) == Some(Status::Paused) {
        return p.act_on(id, Action::PauseResume, |_| None);
    }
    p.say("it is not paused");
}

fn all(p: &mut Plain, line: &str) {
    if p.may_write() {
        let effects = commands::run(&mut p.state, line);
        p.wants(effects);
    }
}

fn stop(p: &mut Plain, name: &str) {
    if name == "all" {
        return p.act(Action::StopAll, |_| Some(Ask::Switch { on: true }));
    }
    let Some(id) = campaign(p, "stop", name) else { return };
    p.act_on(id, Action::Stop, |state| {
        let c = state.data.campaign(id)?;
        Some(Ask::Stop { name: c.row.name.clone(), live: c.row.counts.live, left: state.data.people(c).waiting })
    });
}

fn release(p: &mut Plain, _: &str) {
    p.act(Action::Release, |_| Some(Ask::Switch { on: false }));
}

fn why(p: &mut Plain, name: &str) {
    if let Some(id) = campaign(p, "why", name) {
        p.act_on(id, Action::Why, |_| None);
    }
}

fn filter(p: &mut Plain, words: &str) {
    words.clone_into(&mut p.state.lists.at(Pane::Live).filter);
    p.state.arrange();
    if words.is_empty() {
        p.say("no filter: all calls are told of");
    }
}

fn mask(p: &mut Plain, _: &str) {
    p.act(Action::Mask, |_| None);
}

fn read_only(p: &mut Plain, _: &str) {
    p.act(Action::ReadOnly, |_| None);
}

fn quit(p: &mut Plain, _: &str) {
    p.act(Action::Quit, |state| {
        let live = i64::try_from(state.data.live_count()).unwrap_or(0);
        Some(Ask::Quit { live, keeps: state.options.keeper.is_some(), stays: state.leaving.is_some_and(|l| l.ending == Ending::Drain) })
    });
}
