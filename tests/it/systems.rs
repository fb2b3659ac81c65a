//! All systems, and the way from nothing to a running campaign: keys in, screen out.

use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    app::Beyond,
    clock::SystemClock,
    config::{self, Secret, Sources},
    console::{
        Answer, Effect, LawToday, Msg, Outside, Question, Snapshot, State,
        outside::{Export, Exported, Fault, Format, LiveKitValues},
        setup::{Done, Setup},
    },
    desk::AssistantEdit,
    domain::{
        campaign::Status,
        dispatch::Closure,
        legal::Reading,
        role::Role,
        stats::Counts,
        system::{Light, Mend, System},
    },
    telephony::simulator::{Simulator, SimulatorConfig},
};

use crate::{
    console::{assistants, blank, campaign, press, screen, snapshot, sources, state},
    support::{
        office::Office,
        pty::{Pty, flat},
    },
};

const SECRET: &str = "simulator-secret-of-at-least-32-characters";

fn lines() -> Vec<System> {
    vec![
        System::good("database", "sqlite, 212 kB, 41 GB free, no backup yet"),
        System::good("clock", "zones 2026f"),
        System::other("LiveKit", Light::Bad, "not set yet: nothing can be dialled", Mend::SetLiveKit, "set host, key and secret"),
        System::other("agent worker", Light::Unset, "no call yet that needed one", Mend::Look, "look whether one comes"),
        System::other("trunk", Light::Unset, "none yet", Mend::AssignNumber, "assign a number: its trunk is made with it"),
        System::other("assistant", Light::Unset, "none yet", Mend::AddAssistant, "name who speaks, and what it says"),
        System::other(
            "hooks",
            Light::Unset,
            "none came lately: calls are made, and followed a little later",
            Mend::ReadOn,
            "set the webhook URL at LiveKit, where it can reach this host",
        ),
        System::other("contacts", Light::Unset, "none yet", Mend::ImportContacts, "import a file"),
        System::other("campaign", Light::Unset, "none yet", Mend::NewCampaign, "make one once nothing above says ✗"),
        System::good("law", "34 countries and states closed today: AT, BE, DE, ES, FR, IT and others"),
    ]
}

/// What doctor finds where the network is not well.
fn look() -> Vec<System> {
    vec![
        System::good("configuration", "in order"),
        System::good("LiveKit", "wss://acme.livekit.cloud answers and takes our key"),
        System::good("clock", "agrees with LiveKit's"),
        System::other(
            "agent worker",
            Light::Bad,
            "Calls not connecting: no agent worker named \"ai\" came within 20 s, so nobody would be dialled",
            Mend::ReadOn,
            "start the worker with this name (LK_AGENT_NAME, and agent_name in the worker), on the same LiveKit; or start more, if they are full",
        ),
        System::other("public URL", Light::Warning, "no public URL is set", Mend::ReadOn, "set NGROK_URL or BACKEND_URL"),
    ]
}

fn empty() -> State {
    let mut s = blank();
    s.options.simulated = false;
    s.resize(120, 40);
    let asked = s.update(Msg::Data(Box::default()));
    assert!(asked.contains(&Effect::Ask(Question::Systems)), "{asked:?}");
    s.update(Msg::Answer(Question::Systems, Ok(Answer::Systems(lines()))));
    s
}

/// An empty installation whose assistants and lists are there.
fn furnished() -> State {
    let mut s = empty();
    s.update(Msg::Data(Box::new(Snapshot { assistants: assistants(), sources: sources(), ..Snapshot::default() })));
    s
}

fn code(s: &mut State, code: KeyCode) -> Vec<Effect> {
    s.now += chrono::Duration::milliseconds(400);
    s.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn only(effects: &[Effect]) -> Option<&Setup> {
    effects.iter().find_map(|e| if let Effect::Setup(setup) = e { Some(setup) } else { None })
}

#[test]
fn an_empty_installation_shows_what_is_missing_and_the_key_that_mends_it() {
    let mut s = empty();
    for (w, h) in [(60, 15), (80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("systems_{w}x{h}"), screen(&mut s, w, h));
    }
    press(&mut s, "\u{1b}");
    assert!(screen(&mut s, 120, 40).contains("No campaigns yet"), "Esc leads to the deck");
    press(&mut s, "A");
    assert!(screen(&mut s, 120, 40).contains("not set yet: nothing can be dialled"));
    assert!(screen(&mut state(), 120, 40).contains("Live calls"), "who has campaigns begins on the deck");
}

#[test]
fn a_look_at_the_network_stands_in_the_same_lines_and_nothing_of_it_is_cut() {
    let mut s = empty();
    assert_eq!(only(&press(&mut s, "r")), Some(&Setup::Look));
    assert!(screen(&mut s, 80, 24).contains("looking at the network"));
    assert_eq!(only(&press(&mut s, "r")), None, "one look at a time");
    s.update(Msg::Setup(Setup::Look, Ok(Done::Looked(look()))));
    let wide = flat(&screen(&mut s, 120, 40));
    assert!(wide.contains("wss://acme.livekit.cloud answers") && !wide.contains("not set yet"), "the look knows better: {wide}");
    // From the first line to the last, each is read to its end at the smallest usual size.
    press(&mut s, "g");
    let mut seen = String::new();
    for _ in 0..lines().len() + look().len() {
        seen.push_str(&flat(&screen(&mut s, 80, 24)));
        press(&mut s, "j");
    }
    let said = lines().into_iter().chain(look()).filter(|l| !matches!(l.name, "LiveKit" | "configuration" | "clock" | "agent worker") || l.light == Light::Bad);
    for l in said.filter(|l| !l.fact.starts_with("not set yet")) {
        assert!(seen.contains(&flat(&l.fact)) && seen.contains(&flat(&l.way_out)), "{}: {} | {}", l.name, l.fact, l.way_out);
    }
    press(&mut s, "d");
    assert!(flat(&screen(&mut s, 120, 40)).contains("configuration: in order"), "all details have the good ones too");
}

/// The same letter means the room's own thing in the room, and what it always meant elsewhere.
#[test]
fn a_key_of_the_room_is_the_rooms_alone() {
    let mut s = state();
    press(&mut s, "Ln");
    assert!(screen(&mut s, 120, 40).contains("Note"), "a note on the call");
    press(&mut s, "\u{1b}A");
    s.options.simulated = false;
    s.update(Msg::Answer(Question::Systems, Ok(Answer::Systems(lines()))));
    press(&mut s, "c");
    assert!(screen(&mut s, 120, 40).contains("API secret"));
    press(&mut s, "\u{1b}\u{1b}");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("Live calls") && !shown.contains("Ready to call"), "back where one came from: {shown}");
    // At the tagging desk A is the agent's words; on the deck it is this room.
    let mut sure = snapshot();
    sure.to_tag[0].suggestion_confidence = Some(0.97);
    s.update(Msg::Data(Box::new(sure)));
    press(&mut s, "OOA");
    assert!(screen(&mut s, 120, 40).contains("sure of"), "{}", screen(&mut s, 120, 40));
    press(&mut s, "\u{1b}\u{1b}A");
    assert!(screen(&mut s, 120, 40).contains("Ready to call"));
    press(&mut s, "?");
    s.resize(200, 60);
    let help = screen(&mut s, 200, 60);
    assert!(help.contains("tagging desk: tag all the agent is sure of") && help.contains("All systems (room A)"), "{help}");
}

#[test]
fn the_secret_is_asked_for_and_never_shown() {
    let mut s = empty();
    press(&mut s, "c");
    press(&mut s, "acme.livekit.cloud\nAPIkey1\nhunter2hunter2");
    for (w, h) in [(80, 24), (120, 40), (200, 60)] {
        let shown = screen(&mut s, w, h);
        assert!(shown.contains("**************") && !shown.contains("hunter2"), "{shown}");
    }
    let effects = press(&mut s, "\n");
    let want = LiveKitValues { host: "wss://acme.livekit.cloud".into(), api_key: "APIkey1".into(), api_secret: Secret::new("hunter2hunter2") };
    assert_eq!(only(&effects), Some(&Setup::LiveKit(want.clone())));
    assert!(!format!("{effects:?}").contains("hunter2"), "nor by whoever logs it");
    assert!(only(&press(&mut s, "x\n")).is_none(), "asked once");
    s.update(Msg::Setup(Setup::LiveKit(want.clone()), Err(Fault { field: Some("secret"), words: "the secret is not the one that goes with it".into() })));
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("▌ API secret") && flat(&shown).contains("not the one that goes with it"), "the cursor is on what is wrong: {shown}");
    let leaves = s.update(Msg::Setup(Setup::LiveKit(want), Ok(Done::FromNextStart("LiveKit takes them".into()))));
    assert!(leaves.iter().any(|e| format!("{e:?}") == "Leave(Again)"), "nothing is on the line: it holds at once. {leaves:?}");
}

#[test]
fn with_live_calls_what_was_set_holds_from_the_next_start() {
    let mut s = state();
    press(&mut s, "A");
    let values = LiveKitValues { host: "ws://x".into(), api_key: "k".into(), api_secret: Secret::new("s") };
    let left = s.update(Msg::Setup(Setup::LiveKit(values), Ok(Done::FromNextStart("LiveKit takes them; they are in /etc/x".into()))));
    assert!(!left.iter().any(|e| matches!(e, Effect::Leave(_))), "{left:?}");
    assert!(flat(&screen(&mut s, 80, 24)).contains("It holds from the next start"), "{}", screen(&mut s, 80, 24));
}

#[test]
fn assistants_are_added_renamed_and_deleted() {
    let mut s = furnished();
    press(&mut s, "a");
    assert!(screen(&mut s, 80, 24).contains("▌ Sarah"));
    press(&mut s, "n");
    press(&mut s, "Tom\n\nHello {name}");
    let effects = press(&mut s, "\n");
    let tom = AssistantEdit { name: "Tom".into(), agent_name: None, prompt: "Hello {name}".into() };
    assert_eq!(only(&effects), Some(&Setup::AddAssistant(tom.clone())));
    s.update(Msg::Setup(Setup::AddAssistant(tom.clone()), Err("an assistant is called \"Tom\" already: give this one another name".into())));
    assert!(flat(&screen(&mut s, 80, 24)).contains("give this one another name"));
    s.update(Msg::Setup(Setup::AddAssistant(tom), Ok(Done::Said("assistant \"Tom\" is there".into()))));
    assert!(screen(&mut s, 80, 24).contains("▌ Sarah"), "the list comes back");
    press(&mut s, "\n");
    let effects = press(&mut s, " Jones\n\n\n");
    assert!(matches!(only(&effects), Some(Setup::EditAssistant(_, edit)) if edit.name == "Sarah Jones" && edit.prompt == "Hello"), "{effects:?}");
    s.update(Msg::Setup(only(&effects).unwrap().clone(), Ok(Done::Said("changed".into()))));
    assert!(only(&press(&mut s, "Dx")).is_none(), "any other key: no");
    assert!(matches!(only(&press(&mut s, "Dy")), Some(Setup::DeleteAssistant(_, name)) if name == "Sarah"));
}

#[test]
fn the_form_of_a_campaign_makes_its_assistant_in_place() {
    let mut s = empty();
    press(&mut s, "N");
    press(&mut s, "Spring\t");
    assert!(screen(&mut s, 80, 24).contains("(none)  Enter makes one here"), "{}", screen(&mut s, 80, 24));
    press(&mut s, "\n");
    assert!(screen(&mut s, 80, 24).contains("New assistant"));
    press(&mut s, "\u{1b}");
    assert!(screen(&mut s, 80, 24).contains("Spring"), "Esc leads back, and nothing is lost");
    press(&mut s, "\n");
    press(&mut s, "Sarah\n\nHello\n");
    let edit = AssistantEdit { name: "Sarah".into(), agent_name: None, prompt: "Hello".into() };
    s.update(Msg::Setup(Setup::AddAssistant(edit), Ok(Done::Said(String::new()))));
    s.update(Msg::Data(Box::new(Snapshot { assistants: assistants(), ..Snapshot::default() })));
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("New campaign") && shown.contains("Spring") && shown.contains("Assistant  Sarah"), "{shown}");
}

#[test]
fn a_number_is_given_and_what_livekit_has_is_shown() {
    let mut s = empty();
    press(&mut s, "n");
    assert!(screen(&mut s, 80, 24).contains("no assistant yet who could have a number: a adds one"));
    let mut s = furnished();
    press(&mut s, "n");
    press(&mut s, "12\n\n\n\n\n\n");
    assert!(screen(&mut s, 80, 24).contains("▌ Number"), "what is no number is asked again");
    for _ in 0..2 {
        code(&mut s, KeyCode::Backspace);
    }
    let effects = press(&mut s, "+12025550100\n\nacme.pstn.twilio.com\nuser\nhunter2\n\n");
    assert!(!screen(&mut s, 120, 40).contains("hunter2") && !format!("{effects:?}").contains("hunter2"));
    let Some(Setup::Assign(wish)) = only(&effects) else { panic!("{effects:?}") };
    assert_eq!((wish.number.as_str(), wish.trunk.as_str(), wish.inbound), ("+12025550100", "acme.pstn.twilio.com", true));
    s.update(Msg::Setup(Setup::Assign(wish.clone()), Ok(Done::Told("+12025550100 is ready".into(), vec!["calls over trunk ST_9k".into()]))));
    assert!(screen(&mut s, 80, 24).contains("calls over trunk ST_9k"));
}

fn law_today() -> LawToday {
    let reading = Reading { careful_us: false, automatic: true, unlisted_open: false };
    LawToday {
        closures: vec![Closure { place: "US-LA".into(), until: None, reason: "hurricane".into(), by: String::new() }],
        reading: Some(reading),
        holidays: vec!["AT", "DE"],
    }
}

#[test]
fn the_law_of_a_place_is_read_closed_and_opened() {
    let mut s = empty();
    assert!(press(&mut s, "o").contains(&Effect::Ask(Question::Law)));
    s.update(Msg::Answer(Question::Law, Ok(Answer::Law(law_today()))));
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("CLOSED Louisiana (US-LA), until it is opened: hurricane") && shown.contains("Holiday today in AT, DE"), "{shown}");
    press(&mut s, "us-fl");
    insta::assert_snapshot!("law_us_fl_100x30", screen(&mut s, 100, 30));
    // Reading a law closes nothing, however often Enter comes.
    assert!(only(&press(&mut s, "\n\n\n\n")).is_none());
    assert!(flat(&screen(&mut s, 80, 24)).contains("c closes US-FL (asks until when)"));
    press(&mut s, "c");
    assert!(only(&press(&mut s, "\n\n")).is_none(), "not without a reason");
    assert!(flat(&screen(&mut s, 80, 24)).contains("why is it closed?"));
    let effects = press(&mut s, "storm\n");
    assert!(matches!(only(&effects), Some(Setup::ClosePlace { place, until: None, reason }) if place == "US-FL" && reason == "storm"), "{effects:?}");
    let mut s = empty();
    press(&mut s, "o");
    s.update(Msg::Answer(Question::Law, Ok(Answer::Law(law_today()))));
    press(&mut s, "Louisiana\no");
    assert!(flat(&screen(&mut s, 80, 24)).contains("its people are called again. y opens"));
    assert!(only(&press(&mut s, "n")).is_none());
    assert_eq!(only(&press(&mut s, "\noy")), Some(&Setup::OpenPlace("US-LA".into())));
}

#[test]
fn read_only_mends_nothing_and_a_role_is_held_to_what_it_may() {
    let mut s = furnished();
    s.options.read_only = true;
    for key in ["c", "a", "n", "i", "N", "s", "t"] {
        let effects = press(&mut s, key);
        assert!(effects.iter().all(|e| matches!(e, Effect::Ask(Question::Systems))) && s.dialog.is_none(), "{key}: {effects:?}");
        assert!(screen(&mut s, 80, 24).contains("read-only"), "{key}");
    }
    press(&mut s, "o");
    s.update(Msg::Answer(Question::Law, Ok(Answer::Law(law_today()))));
    assert!(only(&press(&mut s, "us-la\ny\n")).is_none(), "looking is free, opening is not");
    let values = LiveKitValues { host: String::new(), api_key: String::new(), api_secret: Secret::default() };
    let edit = AssistantEdit { name: String::new(), agent_name: None, prompt: String::new() };
    for (setup, least) in [
        (Setup::Look, Role::Viewer),
        (Setup::AddAssistant(edit), Role::Supervisor),
        (Setup::ClosePlace { place: "DE".into(), until: None, reason: String::new() }, Role::Supervisor),
        (Setup::OpenPlace("DE".into()), Role::Admin),
        (Setup::AcceptTerms("Ana".into()), Role::Admin),
        (Setup::LiveKit(values), Role::Admin),
    ] {
        assert_eq!(setup.needs(), least, "{setup:?}");
    }
}

#[test]
fn results_are_written_to_a_file_and_never_over_another_unasked() {
    let mut s = state();
    press(&mut s, "C");
    let line = |s: &mut State, text: &str| press(s, &format!(":{text}\n"));
    let effects = line(&mut s, "export /tmp/q4 results.xlsx");
    let Some(Setup::Export(export)) = only(&effects) else { panic!("{effects:?}") };
    assert_eq!((export.format, export.path.as_path(), export.over, export.name.as_str()), (Format::Xlsx, Path::new("/tmp/q4 results.xlsx"), false, "Q4 Sales"));
    for (text, format, file) in [("export a.csv", Format::Csv, "a.csv"), ("export b json", Format::Jsonl, "b"), ("export c", Format::Csv, "c")] {
        let effects = line(&mut s, text);
        assert!(matches!(only(&effects), Some(Setup::Export(e)) if e.format == format && e.path == Path::new(file)), "{text}: {effects:?}");
    }
    s.update(Msg::Setup(Setup::Export(export.clone()), Ok(Done::Exists(export.clone()))));
    assert!(flat(&screen(&mut s, 80, 24)).contains("/tmp/q4 results.xlsx is there already"));
    assert_eq!(only(&press(&mut s, "y")), Some(&Setup::Export(Export { over: true, ..export.clone() })));
}

#[test]
fn which_campaign_starts_is_asked_by_its_name() {
    let mut s = blank();
    let runs = campaign(10, "Q4 Sales", Status::Running, Counts::default());
    let data = Snapshot {
        campaigns: vec![runs, campaign(11, "Win-back", Status::Idle, Counts::default()), campaign(12, "Survey", Status::Paused, Counts::default())],
        ..snapshot()
    };
    s.update(Msg::Data(Box::new(data)));
    press(&mut s, "As");
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("\"Win-back\": no phone rings") && !shown.contains("▌ Q4"), "{shown}");
    assert!(matches!(press(&mut s, "j\n").as_slice(), [Effect::Resume(_, name)] if name == "Survey"));
}

// Below the screen: the desk, the network, the file.

#[tokio::test]
async fn no_two_assistants_have_one_name_and_one_nobody_called_for_can_go() {
    let office = Office::open(|_| {}).await;
    let add = |name: &str| office.desk.add_assistant(office.actor.clone(), None, name.into(), None, "Hi".into(), None);
    let why = add("sarah").await.unwrap_err().to_string();
    assert!(why.contains("\"sarah\" already"), "{why}");
    let tom = add("Tom").await.unwrap().id;
    let edit = |name: &str| AssistantEdit { name: name.into(), agent_name: Some("ai2".into()), prompt: "Hello".into() };
    office.desk.edit_assistant(office.actor.clone(), tom, edit("Sarah")).await.unwrap_err();
    office.desk.edit_assistant(office.actor.clone(), tom, edit("Tomas")).await.unwrap();
    let rows = office.store.assistants(office.actor.owner).await.unwrap();
    assert!(rows.iter().any(|a| a.name == "Tomas" && a.agent_name.as_deref() == Some("ai2")), "{rows:?}");
    office.desk.delete_assistant(office.actor.clone(), tom).await.unwrap();
    let (source, _) = office.import("name,phone\nAna,+12025550142\n".into()).await;
    let id = office.campaign(dialdeck::domain::campaign::ContactSource::CsvFile, source, |_| {}).await;
    let why = office.desk.delete_assistant(office.actor.clone(), office.assistant).await.unwrap_err().to_string();
    assert!(why.contains("calls for campaign \"Q4 Sales\""), "{why}");
    office.desk.delete_campaign(office.actor.clone(), id).await.unwrap();
    let why = office.desk.delete_assistant(office.actor.clone(), office.assistant).await.unwrap_err().to_string();
    assert!(why.contains("the records of campaign"), "{why}");
}

/// Before a start is tried, all that it would be refused for.
#[tokio::test]
async fn an_idle_campaign_says_what_is_missing() {
    let office = Office::open(|_| {}).await;
    let lonely = office.desk.add_assistant(office.actor.clone(), None, "Lonely".into(), None, String::new(), None).await.unwrap().id;
    let (source, _) = office.import("name,phone\nAna,+12025550142\n".into()).await;
    let id = office.campaign(dialdeck::domain::campaign::ContactSource::CsvFile, source, |_| {}).await;
    let mut row = office.store.campaign(office.actor.owner, id).await.unwrap().unwrap();
    (row.assistant_id, row.campaign_prompt, row.assistant_prompt) = (lonely, String::new(), String::new());
    let gates: Vec<&str> = office.desk.missing(&row).await.unwrap().iter().map(|r| r.gate).collect();
    assert_eq!(gates, ["script", "trunk"]);
}

pub fn beyond(office: &Office, file: &Path) -> Beyond {
    let config = config::validate(&config::extract(&Sources::default()).unwrap()).unwrap();
    Beyond {
        config,
        desk: office.desk.clone(),
        owner: office.actor.owner,
        clock: Arc::new(SystemClock::new()),
        file: file.to_owned(),
        before: None,
        open_files: Vec::new(),
    }
}

#[tokio::test]
async fn a_wrong_host_a_wrong_key_and_a_wrong_secret_are_told_apart_and_not_kept() {
    let office = Office::open(|_| {}).await;
    let simulator = Simulator::start(SimulatorConfig::by_digits(), Arc::new(SystemClock::new())).await.unwrap();
    let file = office.base.dir.path().join("config.toml");
    std::fs::write(&file, "# mine\n[engine]\nagent_wait = \"3s\"\n").unwrap();
    let beyond = beyond(&office, &file);
    let values = |host: &str, key: &str, secret: &str| LiveKitValues { host: host.into(), api_key: key.into(), api_secret: Secret::new(secret) };
    let right = simulator.url();
    for (host, key, secret, field, words) in [
        ("ws://127.0.0.1:1", "simkey", SECRET, "host", "nothing answers"),
        (&right, "otherkey", SECRET, "key", "knows no such API key"),
        (&right, "simkey", "hunter2-hunter2-hunter2-hunter2-hunter2", "secret", "the secret is not the one"),
    ] {
        let fault = beyond.connect(values(host, key, secret)).await.unwrap_err();
        assert!(fault.field == Some(field) && fault.words.contains(words) && !fault.words.contains("hunter2"), "{fault:?}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# mine\n[engine]\nagent_wait = \"3s\"\n");
    let words = beyond.connect(values(&right, "simkey", SECRET)).await.unwrap();
    assert!(words.contains("config.toml") && !words.contains(SECRET), "{words}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# mine\n[engine]\nagent_wait = \"3s\"\n") && text.contains(SECRET), "{text}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // What goes before the file is named, and nothing is tried.
    let set = Beyond { before: Some("LIVEKIT_HOST".into()), ..beyond };
    assert!(set.connect(values(&right, "simkey", SECRET)).await.unwrap_err().words.contains("LIVEKIT_HOST goes before"));
    let mut s = empty();
    s.options.outside = Some(Arc::new(set));
    press(&mut s, "c");
    assert!(s.dialog.is_none() && flat(&screen(&mut s, 80, 24)).contains("LIVEKIT_HOST goes before"), "nor is anything asked for");
}

#[tokio::test]
async fn an_export_lies_where_it_is_told_for_its_owner_alone() {
    let office = Office::open(|_| {}).await;
    let (source, _) = office.import("name,phone\nAna,+12025550142\n".into()).await;
    let id = office.campaign(dialdeck::domain::campaign::ContactSource::CsvFile, source, |_| {}).await;
    office.desk.start(office.actor.clone(), id).await.unwrap();
    let beyond = beyond(&office, Path::new("/nowhere"));
    let path = office.base.dir.path().join("out.csv");
    let export = |over| Export { campaign: id, name: "Q4 Sales".into(), path: path.clone(), format: Format::Csv, over };
    assert_eq!(beyond.export(office.actor.clone(), export(false)).await, Ok(Exported::Written(1)));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&path).unwrap().contains("+12025550142"));
    std::fs::write(&path, "mine").unwrap();
    assert_eq!(beyond.export(office.actor.clone(), export(false)).await, Ok(Exported::Exists));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(beyond.export(office.actor.clone(), export(true)).await, Ok(Exported::Written(1)));
    assert!(std::fs::read_to_string(&path).unwrap().contains("+12025550142"));
    let left: Vec<_> =
        std::fs::read_dir(office.base.dir.path()).unwrap().map(|e| e.unwrap().file_name()).filter(|n| n.to_string_lossy().contains("out.csv")).collect();
    assert_eq!(left.len(), 1, "nothing is left beside it: {left:?}");
}

#[test]
fn from_nothing_to_a_running_campaign_and_its_export_by_reading_the_screen() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = runtime.block_on(Simulator::start(SimulatorConfig::by_digits(), Arc::new(SystemClock::new()))).unwrap();
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("leads.csv"), "name,phone\nAna Lima,+12025550142\nJane Roe,+12025550143\n").unwrap();
    let mut p = Pty::start(home.path(), &["--listen", "127.0.0.1:0"], (80, 24));
    p.wait_for("c set host, key and secret");
    p.key("c");
    p.fill(&[&simulator.url(), "simkey", "not-the-secret-of-the-simulator-at-all"]);
    p.wait_for("the secret is not the one that goes with it");
    // Its line is emptied, and written anew.
    p.key("\u{15}");
    p.fill(&[SECRET]);
    // The program begins anew with it, and its engine finds LiveKit.
    p.wait_for("answers, and can dial");
    let file = home.path().join(".config/dialdeck/config.toml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    p.key("a");
    p.wait_for("Enter adds the first");
    p.key("\r");
    p.fill(&["Sarah", "", "Hello {name}"]);
    p.wait_for("n new");
    p.key("\u{1b}");
    p.key("n");
    p.wait_for("Number for an assistant");
    p.fill(&["+12025550100", "", "trunk.example", "", "", ""]);
    p.wait_for("+12025550100 is ready");
    p.key("\r");
    p.key("i");
    p.fill(&["leads.csv"]);
    p.wait_for("Enter imports");
    p.key("\r");
    p.wait_for(" imported");
    p.key("\r");
    p.key("N");
    p.wait_for("New campaign");
    p.key("First");
    p.key("\u{1b}[Z");
    p.wait_for("S creates and starts it");
    p.key("S");
    p.key("y");
    p.wait_for("started \"First\"");
    p.wait_for("1 running");
    p.key("\u{1b}");
    p.key("C");
    p.key(":");
    p.fill(&["export out.csv"]);
    p.wait_for("in out.csv");
    assert!(std::fs::read_to_string(home.path().join("out.csv")).unwrap().contains("+12025550142"));
    p.key("P");
    p.wait_for("paused 1 campaign");
    let log = std::fs::read_to_string(home.path().join(".local/state/dialdeck/dialdeck.log")).unwrap();
    assert!(!log.contains(SECRET) && !p.said(SECRET), "a secret is neither logged nor drawn");
    drop(simulator);
}
