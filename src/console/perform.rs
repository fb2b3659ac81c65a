//! Does what the loop asks for: the only part of the console that awaits. Every result comes back
//! as a message in words.

use std::{fs::File, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, sync::Arc};

use base64::Engine;
use tokio::{runtime::Handle, sync::watch};
use tokio_util::sync::CancellationToken;

mod imports;

use super::{
    ConsoleOptions,
    kept::Kept,
    leaving::Keeper,
    lists,
    mailbox::Sender,
    message::{Effect, FormValues, Msg},
    outside::Outside,
    question::{self, Answer, Question},
    rights,
    rows::{count, display_name},
    setup,
    snapshot::Wants,
    theme::Depth,
    waiting, watching, why,
};
use crate::{
    desk::{Actor, CampaignDraft, ContactChange, Desk, DeskError, Preflight, UndoDoNotCall},
    domain::{
        campaign::Status,
        id::{CallId, CampaignId},
        outcome::Outcome,
        phone,
        role::Role,
        zone,
    },
    store::{CampaignEdit, PaneQuery},
    telemetry::{self, Bounds, LogSearch, OldLines},
};

pub struct Performer {
    runtime: Handle,
    desk: Desk,
    actor: parking_lot::RwLock<Actor>,
    send: Sender,
    wants: watch::Sender<Wants>,
    import: parking_lot::Mutex<CancellationToken>,
    counting: parking_lot::Mutex<Option<imports::Counting>>,
    region: parking_lot::RwLock<Option<String>>,
    role: Role,
    outside: Option<Arc<dyn Outside>>,
    keeper: Option<Keeper>,
    kept: Option<PathBuf>,
    log: Option<PathBuf>,
    zone: zone::Zone,
    theme: watch::Sender<String>,
}

impl Performer {
    pub fn new(runtime: Handle, desk: Desk, actor: Actor, send: Sender, options: &ConsoleOptions) -> Self {
        let wants = watch::Sender::new(Wants { lists: true, ..Wants::default() });
        let (region, role, kept) = (options.region.clone(), options.role, options.session.kept.clone());
        let (outside, keeper, log) = (options.outside.clone(), options.keeper.clone(), options.session.log.clone());
        let theme = watch::Sender::new(options.theme.clone());
        runtime.spawn(watching::keep(theme.subscribe(), options.themes_folder.clone(), Depth::detect(&options.color), send.clone()));
        Self {
            runtime,
            desk,
            actor: parking_lot::RwLock::new(actor),
            send,
            wants,
            import: parking_lot::Mutex::default(),
            counting: parking_lot::Mutex::default(),
            region: parking_lot::RwLock::new(region),
            role,
            outside,
            keeper,
            kept,
            log,
            zone: options.zone,
            theme,
        }
    }

    fn region(&self) -> Option<rlibphonenumber::Region> {
        self.region.read().as_deref().and_then(|r| phone::region(r).ok())
    }

    pub fn wants(&self) -> watch::Receiver<Wants> {
        self.wants.subscribe()
    }

    fn actor(&self) -> Actor {
        self.actor.read().clone()
    }

    fn take_back(&self, call: CallId, name: String, (outcome, previous): (Option<Outcome>, Option<Outcome>), lift: bool) {
        let (desk, actor) = (self.desk.clone(), self.actor());
        let lift = if lift { UndoDoNotCall::Lift } else { UndoDoNotCall::Keep };
        self.spawn(async move {
            match desk.take_back(actor, call, Some(outcome), lift).await {
                Ok(done) => {
                    let promise = done.promise.map(|p| p.words);
                    Msg::Tagged { call, name, outcome: done.call.outcome, previous: outcome, undone: true, result: Ok(promise) }
                }
                // What another has said since stands.
                Err(e) => Msg::NotTakenBack { call, name, outcome, previous, why: e.to_string(), again: matches!(e, DeskError::Store(_)) },
            }
        });
    }

    pub fn perform(&self, effect: Effect) {
        if let Some(msg) = rights::refused(self.role, &effect) {
            return self.send.tell(msg);
        }
        let (desk, actor) = (self.desk.clone(), self.actor());
        match effect {
            Effect::Tag { call, name, outcome, previous, callback_at } => {
                let tag = waiting::Tag { call, name, outcome, previous, callback_at };
                let send = self.send.clone();
                drop(self.runtime.spawn(async move { waiting::write(desk, actor, tag, |msg| send.tell(msg)).await }));
            }
            Effect::UndoTag { call, name, previous, outcome, lift } => self.take_back(call, name, (outcome, previous), lift),
            Effect::Note { call, note } => self.done(note_words(&note), async move { desk.set_note(actor, call, note).await.map(drop) }),
            Effect::HangUp(call, name) => self.done(format!("hanging up {name}..."), async move { desk.hang_up(actor, call).await }),
            Effect::Again(call, name) => self.spawn(async move {
                match desk.call_again(actor, call).await {
                    Ok(attempt) => Msg::Done { words: format!("{name} is in the queue again, attempt {attempt}"), result: Ok(()) },
                    Err(e) => Msg::Done { words: String::new(), result: Err(format!("{name} is not called again: {e}")) },
                }
            }),
            Effect::Start(id, name) => self.start(id, name, None),
            Effect::AcceptTerms { person, campaign, name } => self.start(campaign, name, Some(person)),
            Effect::Pause(id, name) => self.done(format!("paused \"{name}\": no further dial"), async move { desk.pause(actor, id).await }),
            Effect::Resume(id, name) => self.spawn(async move {
                match desk.resume(actor, id).await {
                    Ok(()) => Msg::Done { words: format!("resumed \"{name}\""), result: Ok(()) },
                    Err(e) => refused_start(id, name, &e),
                }
            }),
            Effect::Stop { campaign, name, hang_up } => self.told(async move {
                let s = desk.stop(actor, campaign, hang_up).await?;
                Ok(format!("stopped \"{name}\": {} not called, {}{}", count(s.canceled, "contact"), count(s.live, "live call"), s.broken()))
            }),
            Effect::Delete(id, name) => self.done(format!("deleted \"{name}\""), async move { desk.delete_campaign(actor, id).await }),
            Effect::Lines { campaign, name, by, undone } => self.spawn(async move {
                let result = desk.change_lines(actor, campaign, by).await.map_err(|e| e.to_string());
                Msg::Lines { campaign, name, by, undone, result }
            }),
            Effect::Recycle(id, name, what) => {
                self.told(async move { Ok(format!("{} of \"{name}\" queued again", count(desk.recycle(actor, id, what).await?, "contact"))) });
            }
            Effect::DeleteList(table, id, name) => self.done(format!("deleted \"{name}\""), async move { desk.delete_source(actor, table, id).await }),
            Effect::NeverCall { number, name } => self.told(async move {
                let new = desk.add_do_not_call(actor, number, String::new()).await?;
                let words = if new { "is on the do-not-call list: nobody calls that number again" } else { "was on the do-not-call list already" };
                Ok(format!("{name} {words}"))
            }),
            Effect::ImportNumbers(path) => self.import_numbers(path),
            Effect::EditContact { table, id, name, email, notes } => {
                let region = self.region();
                let change = ContactChange { name, email, notes, ..ContactChange::default() };
                self.done("the card is saved".to_owned(), async move { desk.edit_contact(actor, table, id, change, region).await });
            }
            Effect::PauseAll => self.spawn(async move {
                match desk.pause_all(actor).await {
                    Ok(ids) => Msg::PausedAll(ids),
                    Err(e) => Msg::Done { words: String::new(), result: Err(e.to_string()) },
                }
            }),
            Effect::KillSwitch(on) => self.spawn(async move {
                match desk.kill_switch(actor, on).await {
                    Ok(()) => Msg::KillSwitch(on),
                    Err(e) => Msg::Done { words: String::new(), result: Err(e.to_string()) },
                }
            }),
            Effect::ResumeAll(ids) => self.told(async move {
                let n = desk.resume_all(actor, ids).await?;
                Ok(format!("resumed {}", count(i64::try_from(n).unwrap_or(0), "campaign")))
            }),
            Effect::Why(id) => self.why(id),
            Effect::Show(call) => self.wants.send_modify(|w| w.detail = call),
            Effect::Judge(judged) => self.wants.send_modify(|w| w.judging = judged),
            Effect::Ask(Question::Log(search)) => self.search_log(search),
            Effect::Ask(question) => self.spawn(async move {
                let answer = question::answer(&desk, &actor, &question).await.map_err(|e| e.to_string());
                Msg::Answer(question, answer)
            }),
            Effect::Setup(what) => {
                let outside = self.outside.clone();
                self.spawn(async move {
                    let done = setup::carry_out(&desk, actor, outside, what.clone()).await;
                    Msg::Setup(what, done)
                });
            }
            Effect::Create { values, start } => self.create(*values, start),
            Effect::Preview(path) => self.preview(path),
            Effect::Import { path, mapping, into } => self.import(path, mapping, into),
            Effect::CancelImport => self.import.lock().cancel(),
            Effect::Count { path, mapping, into, turn } => self.count(path, mapping, into, turn),
            Effect::StopCounting => drop(self.stop_counting()),
            Effect::Copy(text) => copy(&text),
            Effect::KeepRunning => self.keep_running(),
            Effect::Keep(kept) => self.keep(*kept),
            Effect::Watch(name) => drop(self.theme.send_replace(name)),
            Effect::Me(name) => self.named(name),
            Effect::Country(code) => drop(self.region.write().replace(code)),
            Effect::LogLevel(level) => self.wants.send_modify(|w| w.level = Some(level)),
            Effect::Write { path, text } => self.write(path, text),
            // The loop itself ends, and the loop has the terminal.
            Effect::Leave(_) | Effect::Editor(_) | Effect::Mouse(_) => {}
        }
    }

    /// Who does things from here from now on.
    fn named(&self, name: String) {
        self.actor.write().name.clone_from(&name);
        self.wants.send_modify(|w| w.me = Some(name));
    }

    fn keep_running(&self) {
        let send = self.send.clone();
        if let Some(keeper) = self.keeper.clone() {
            self.runtime.spawn_blocking(move || send.tell(Msg::Kept(keeper.start())));
        }
    }

    fn spawn(&self, task: impl Future<Output = Msg> + Send + 'static) {
        let send = self.send.clone();
        self.runtime.spawn(async move { send.tell(task.await) });
    }

    /// Done in the words that the task answers, or refused in the desk's.
    fn told(&self, task: impl Future<Output = Result<String, DeskError>> + Send + 'static) {
        self.spawn(async move {
            match task.await {
                Ok(words) => Msg::Done { words, result: Ok(()) },
                Err(e) => Msg::Done { words: String::new(), result: Err(e.to_string()) },
            }
        });
    }

    /// Files are read where nobody waits for them.
    fn search_log(&self, wanted: LogSearch) {
        let (send, file, zone) = (self.send.clone(), self.log.clone(), self.zone);
        self.runtime.spawn_blocking(move || {
            let found = match file {
                Some(file) => telemetry::search(&file, &wanted, Bounds::default(), |line| lists::log_passes(&wanted.words, line, zone))
                    .map_err(|e| format!("the log {} cannot be read: {e}", file.display())),
                None => Ok(OldLines::default()),
            };
            send.tell(Msg::Answer(Question::Log(wanted), found.map(Answer::Log)));
        });
    }

    /// Disks may stand still: neither the screen nor the engine waits for them.
    fn keep(&self, kept: Kept) {
        if let Some(path) = self.kept.clone() {
            self.runtime.spawn_blocking(move || {
                if let Err(e) = kept.save(&path) {
                    tracing::warn!(target: "console", "{} cannot be written, the next screen begins as this one did: {e}", path.display());
                }
            });
        }
    }

    fn write(&self, path: PathBuf, text: String) {
        let send = self.send.clone();
        self.runtime.spawn_blocking(move || {
            let written = File::options().write(true).create_new(true).mode(0o600).open(&path).and_then(|mut f| f.write_all(text.as_bytes()));
            let shown = path.canonicalize().unwrap_or_else(|_| path.clone());
            let result = written.map_err(|e| match e.kind() {
                std::io::ErrorKind::AlreadyExists => format!("{} is there already and stays as it is: name another file", path.display()),
                _ => format!("{} cannot be written: {e}", path.display()),
            });
            send.tell(Msg::Done { words: format!("written: {}", shown.display()), result });
        });
    }

    fn done(&self, words: String, task: impl Future<Output = Result<(), DeskError>> + Send + 'static) {
        self.spawn(async move { Msg::Done { words, result: task.await.map_err(|e| e.to_string()) } });
    }

    /// Starts, after the terms were accepted by somebody where that was asked.
    fn start(&self, id: CampaignId, name: String, accepts: Option<String>) {
        let (desk, actor) = (self.desk.clone(), self.actor());
        self.spawn(async move {
            let still = still_on(&desk, &actor, id).await;
            let result = async {
                if let Some(person) = accepts {
                    desk.accept_terms(actor.clone(), person).await?;
                }
                desk.start(actor.clone(), id).await?;
                let row = desk.store().campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                desk.preflight(&row).await
            };
            match result.await {
                Ok(p) => {
                    let lacking = lacking(&p);
                    // The law may allow what its own hours do not.
                    let whom = match p.waiting_until {
                        Some(_) => format!("nobody is called yet: {}, then {}", p.why, count(p.dialable_now, "person")),
                        None => format!("{} can be called now. {}", count(p.dialable_now, "person"), p.why),
                    };
                    Msg::Done { words: format!("started \"{name}\": {}, {whom}{lacking}{still}", count(p.contacts, "contact")), result: Ok(()) }
                }
                Err(e) => refused_start(id, name, &e),
            }
        });
    }

    fn why(&self, id: CampaignId) {
        let (desk, actor) = (self.desk.clone(), self.actor());
        self.spawn(async move {
            let found = async {
                let row = desk.store().campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                let why = desk.explain(&row).await?;
                let missing = if row.execution_status == Status::Running || row.manual { Vec::new() } else { desk.missing(&row).await? };
                Ok::<_, DeskError>((row, why, missing))
            };
            match found.await {
                Ok((row, why, missing)) => {
                    let lines = why::lines(&why, &missing, &row, desk.now());
                    Msg::Why { title: format!("Why: {}", row.name), lines }
                }
                Err(e) => Msg::Done { words: String::new(), result: Err(e.to_string()) },
            }
        });
    }

    fn create(&self, values: FormValues, start: bool) {
        let (desk, actor, send) = (self.desk.clone(), self.actor(), self.send.clone());
        if let Some(id) = values.campaign {
            return self.edit(id, values);
        }
        self.runtime.spawn(async move {
            let name = values.name.clone();
            let draft = CampaignDraft {
                name: values.name,
                assistant: values.assistant,
                source: values.source,
                source_id: values.source_id,
                prompt: values.prompt,
                agent_name: values.agent_name,
                settings: values.settings,
            };
            let msg = match desk.create_campaign(actor.clone(), draft).await {
                Err(e) => Msg::Created { words: String::new(), result: Err(e.to_string()) },
                Ok(_) if !start => Msg::Created { words: format!("made \"{name}\""), result: Ok(()) },
                Ok(id) => match desk.start(actor, id).await {
                    Ok(()) => Msg::Created { words: format!("started \"{name}\""), result: Ok(()) },
                    // Made it is: the form must not come back and make another.
                    Err(e) => {
                        send.tell(Msg::Created { words: format!("made \"{name}\""), result: Ok(()) });
                        match refused_start(id, name.clone(), &e) {
                            terms @ Msg::Terms(..) => terms,
                            _ => Msg::Done { words: String::new(), result: Err(format!("\"{name}\" was made, but does not start: {e}")) },
                        }
                    }
                },
            };
            send.tell(msg);
        });
    }

    fn edit(&self, id: CampaignId, values: FormValues) {
        let (desk, actor) = (self.desk.clone(), self.actor());
        self.spawn(async move {
            let FormValues { name, assistant, prompt, agent_name, settings, .. } = values;
            let mut words = format!("changed \"{name}\"");
            let edit = CampaignEdit { name, assistant, prompt, agent_name, settings };
            let result = async {
                desk.edit_campaign(actor.clone(), id, edit).await?;
                let row = desk.store().campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                words.push_str(&lacking(&desk.preflight(&row).await?));
                Ok::<_, DeskError>(())
            };
            let result = result.await.map_err(|e| e.to_string());
            Msg::Created { words, result }
        });
    }
}

/// Whose calls of the run before are still on the line, in words: nobody is called while they talk.
async fn still_on(desk: &Desk, actor: &Actor, id: CampaignId) -> String {
    let query = PaneQuery { owner: actor.owner, campaign: Some(id), ended_since: desk.now(), limit: 50 };
    // What cannot be read is said by the start.
    let rows = desk.store().live_pane(&query).await.unwrap_or_default();
    let on: Vec<String> = rows.iter().filter(|r| r.state.is_open()).map(display_name).collect();
    match on.as_slice() {
        [] => String::new(),
        [one] => format!("; the call with {one} is still on"),
        [first, second] => format!("; the calls with {first} and {second} are still on"),
        [first, rest @ ..] => format!("; the calls with {first} and {} others are still on", rest.len()),
    }
}

fn note_words(note: &str) -> String {
    (if note.trim().is_empty() { "note taken away" } else { "note saved" }).to_owned()
}

/// What the script asks for that contacts do not have: those are not called.
fn lacking(found: &Preflight) -> String {
    let fields = found.missing_fields.join(", ");
    match found.contacts_without_fields {
        0 => String::new(),
        1 => format!("; 1 contact lacks {fields} and is not called"),
        n => format!("; {n} contacts lack {fields} and are not called"),
    }
}

/// Only the terms can be accepted on the spot.
fn refused_start(id: CampaignId, name: String, why: &DeskError) -> Msg {
    match why {
        DeskError::Refused(refusal) if refusal.gate == "terms" => Msg::Terms(id, name),
        _ => Msg::Done { words: String::new(), result: Err(why.to_string()) },
    }
}

/// Into the clipboard of the terminal's own machine.
fn copy(text: &str) {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let mut out = std::io::stdout();
    // A terminal that does not know OSC 52 shows nothing and loses nothing.
    drop(write!(out, "\x1b]52;c;{encoded}\x07").and_then(|()| out.flush()));
}
