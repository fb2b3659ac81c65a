//! Clocks of contacts from the file to the dial: what a column may change and what it may not, the law of a
//! state that is named, tables that came after an import, and the database of zones.

use std::process::Command;

use chrono::{DateTime, TimeDelta, Utc};
use dialdeck::domain::{
    dispatch::{self, Place},
    id::CampaignId,
    phone::PhoneNumber,
    place,
    rules::{Profile, Rules},
    zone,
};
use dialdeck::telephony::simulator::Behaviour;
use serde_json::json;

use crate::{
    api::{Rest, code},
    support::{Options, World, office::Office},
};

/// An office of a country's hours at a moment, and a campaign over these contacts that never closes by itself.
async fn at(moment: &str, countries: &[&str], csv: &str) -> (Office, CampaignId) {
    let legal = |rules: &mut Rules| {
        rules.profile = Profile::Default;
        rules.unlisted_open = true;
        rules.countries = countries.iter().map(|c| (*c).to_owned()).collect();
    };
    let office = Office::open(legal).await;
    let (source, _) = office.import(csv.to_owned()).await;
    let now: DateTime<Utc> = moment.parse().unwrap();
    office.clock.advance(now);
    let id = office.started(source, |_| {}).await;
    (office, id)
}

/// What an older release may have left in the database.
async fn run(office: &Office, sql: &'static str) {
    office.base.run(sql).await;
}

/// Number, zone cell, state cell, moment, whether it may be dialled, by law of the table of 2026-11.
const CALLS: &[(&str, &str, &str, &str, &str)] = &[
    ("+61412345678", "", "", "2026-12-07T21:30:00Z", "contact_hours"), // 08:30 in Sydney, 05:30 in Perth
    ("+61412345678", "", "", "2026-12-08T03:05:00Z", "armed"),
    ("+61412345678", "Australia/Sydney", "", "2026-12-07T22:30:00Z", "armed"),
    ("+79121234567", "", "", "2026-12-08T17:30:00Z", "contact_hours"), // 20:30 in Moscow
    ("+14232005678", "", "", "2026-12-09T02:20:00Z", "contact_hours"), // 21:20 in Chattanooga
    ("+16892345678", "", "", "2026-12-09T01:30:00Z", "contact_hours"), // 20:30 in Orlando
    ("+13105550101", "UTC", "", "2026-12-09T09:05:00Z", "contact_hours"),
    ("+13105550101", "EST", "", "2026-12-09T13:30:00Z", "contact_hours"), // 05:30 in Los Angeles
    ("+13055550101", "Pacific/Honolulu", "", "2026-12-09T05:30:00Z", "contact_hours"), // 00:30 in Florida
    ("+12125550101", "EST", "", "2027-07-09T01:30:00Z", "contact_hours"), // 21:30 in New York
    ("+13035550101", "MST", "", "2027-07-09T03:30:00Z", "contact_hours"), // 21:30 in Denver
    ("+12125550101", "Asia/Tokyo", "", "2026-12-09T14:30:00Z", "armed"),
    ("+12125550101", "", "", "2026-12-09T01:30:00Z", "armed"),             // 20:30 in New York
    ("+12125550101", "", "FL", "2026-12-09T01:30:00Z", "contact_hours"),   // Florida closes at 20
    ("+12125550101", "", "Fla.", "2026-12-09T13:30:00Z", "contact_hours"), // 07:30 in Pensacola
    ("+12125550101", "America/New_York", "Florida", "2026-12-09T13:30:00Z", "armed"),
    ("+12125550101", "", "Alabama", "2026-12-06T18:00:00Z", "contact_hours"), // a Sunday
];

#[tokio::test]
async fn who_may_be_called_when() {
    for (number, zone, state, moment, want) in CALLS {
        let (office, id) = at(moment, &["US", "AU", "RU"], &format!("name,phone,time zone,state\nA,{number},{zone},{state}\n")).await;
        let got = office.dial(id).await.map_or_else(|gate| gate, |_| "armed");
        assert_eq!(got, *want, "{number} zone \"{zone}\" state \"{state}\" at {moment}");
    }
}

#[tokio::test]
async fn a_cell_that_cannot_be_followed_is_said_and_the_person_kept() {
    let office = Office::open(|_| {}).await;
    let (_, report) = office.import("name,phone,tz\nA,+12125550101,UTC\nB,+12125550102,EST\nC,+12125550103,Asia/Tokyo\n".to_owned()).await;
    assert_eq!((report.imported, report.invalid, report.remarked), (3, 0, 2));
    assert_eq!(report.remarks.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 4]);
    let (_, states) = office.import("name,phone,state\nA,+12125550101,open\nB,+12125550102,FL\nC,+442079460018,open\n".to_owned()).await;
    assert_eq!(states.remarks.iter().map(|r| r.line).collect::<Vec<_>>(), [2], "a column of that name may be of something else");
    assert!(report.remarks[0].reason.contains("\"UTC\" is no place"), "{:?}", report.remarks);
}

/// A post code counts where no state is named.
#[tokio::test]
async fn a_post_code_is_of_a_state() {
    let (office, id) = at("2026-12-09T01:30:00Z", &["US"], "name,phone,zip\nA,+12125550101,33101\n").await;
    assert_eq!(office.dial(id).await, Err("contact_hours"));
    let row = office.store.calls(id, &dialdeck::store::CallFilter::default(), 9, 0).await.unwrap().rows.remove(0);
    assert!(row.zones.ends_with(";US-FL,US-NY") && row.reason.contains("US-FL"), "{} {}", row.zones, row.reason);
}

/// An older release took Chattanooga for Central, and "EST" for an hour of its own: contacts of its imports,
/// and rows that were queued by it, are judged by today's tables.
#[tokio::test]
async fn an_older_import_follows_todays_tables() {
    for queued in [false, true] {
        let (office, id) = at("2026-12-09T02:20:00Z", &["US"], "name,phone\nA,+14232005678\n").await;
        run(&office, "UPDATE csv_contacts SET zones = 'America/Chicago', said = NULL").await;
        if queued {
            run(&office, "UPDATE campaign_calls SET zones = 'America/Chicago'").await;
        } else {
            office.desk.stop(office.actor.clone(), id, false).await.unwrap();
            office.start(id).await;
        }
        assert_eq!(office.dial(id).await, Err("contact_hours"), "21:20 in Chattanooga; queued: {queued}");
        office.wait(TimeDelta::hours(16));
        assert!(office.dial(id).await.is_ok(), "queued: {queued}");
    }
}

/// Rows that an older release queued by zones alone: the engine brings them into the queues of their law, and none
/// is claimed where its state is closed.
#[tokio::test]
async fn rows_of_an_older_queue_wait_by_the_law_of_their_place() {
    // 20:30 in New York and in Miami, whose state is closed then.
    let csv = "name,phone\nA,+13055550101\nB,+12125550102\nC,+13055550103\n";
    let (office, id) = at("2026-12-09T01:30:00Z", &["US"], csv).await;
    let as_queued = office.store.zone_heads(id).await.unwrap();
    run(&office, "UPDATE campaign_calls SET zones = 'America/New_York'").await;
    assert_eq!(office.store.zone_heads(id).await.unwrap().len(), 1, "one queue, of two laws");
    assert_eq!(office.desk.key_queues().await.unwrap(), 3);
    assert_eq!(office.store.zone_heads(id).await.unwrap(), as_queued);
    assert_eq!(office.why(id).await.waiting.dialable_now, 1);
    assert_eq!(office.desk.key_queues().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_starts_keys_the_rows_of_an_older_queue() {
    let mut world = World::new(Options::default()).await;
    let (source, _) = world.import(crate::support::csv_of(250)).await;
    let id = world.campaign(source, |_| {}).await;
    world.desk.start(world.actor.clone(), id).await.unwrap();
    while world.row(id).await.fill_position.is_some() {
        world.desk.fill(world.actor.owner, id).await.unwrap();
    }
    world.desk.pause(world.actor.clone(), id).await.unwrap();
    world.base.run("UPDATE campaign_calls SET zones = 'America/New_York'").await;
    world.start_engine();
    let keyed = async || world.calls(id).await.iter().all(|c| c.zones.contains(';'));
    world.until("every row has its law", std::time::Duration::from_secs(30), keyed).await;
    world.crash_engine().await;
}

/// "Why did you call me, and when": by which clocks, and by whose rules of them.
#[tokio::test]
async fn the_evidence_of_a_dial_names_the_zones_and_their_version() {
    let (office, id) = at("2026-12-08T18:00:00Z", &["US"], "name,phone,state\nA,+12125550101,FL\n").await;
    let call = office.dial(id).await.unwrap();
    let audit = office.store.audit_of(office.actor.owner, call.0).await.unwrap();
    let armed = &audit.iter().find(|a| a.action == "call_armed").unwrap().details.0;
    assert_eq!(armed["timeZones"], json!(zone::version()));
    assert!(armed["timeZones"].as_str().unwrap().starts_with("2026f"), "{armed}");
    assert_eq!(armed["contactClocks"], json!(["America/Chicago Tue 12:00", "America/New_York Tue 13:00"]));
    assert!(armed["laws"].as_array().unwrap().iter().any(|l| l.as_str().unwrap().starts_with("US-FL")), "{armed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_rest_a_zone_is_a_place() {
    let rest = Rest::new().await;
    for zone in ["EST", "Etc/GMT+5", "US/Eastern", "Eastern", "Mars/Base"] {
        let answer = rest.call("POST", "/campaigns", Some(json!({ "name": "X", "timezone": zone }))).await;
        assert_eq!(code(&answer).0, 422, "{zone}: {}", answer.body);
        assert!(answer.body.contains("is no place"), "{zone}: {}", answer.body);
    }
    let answer = rest.call("POST", "/campaigns", Some(json!({ "name": "X", "timezone": "Europe/Berlin" }))).await;
    assert!(!answer.body.contains("is no place"), "{}", answer.body);
}

fn dialdeck(args: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
    command.args(args).env_clear().env("HOME", home.path()).current_dir(home.path()).envs(environment.iter().copied());
    let out = command.output().unwrap();
    (out.status.success(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

/// A newer database of the host is used, and said; an older one is not.
#[test]
fn the_newer_database_of_zones_is_used_and_said() {
    for (version, said) in [("2099b", "time zones 2099b (host)"), ("2019c", "time zones 2026f (built in)")] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tzdata.zi"), format!("# version {version}\n")).unwrap();
        let (done, text) = dialdeck(&["config", "check"], &[("TZDIR", dir.path().to_str().unwrap())]);
        assert!(done && text.contains(said), "{text}");
    }
}

#[test]
fn in_the_configuration_and_on_the_command_line_a_zone_is_a_place() {
    let (done, text) = dialdeck(&["config", "check"], &[("DIALDECK_ENGINE__TIMEZONE", "EST")]);
    assert!(!done && text.contains("engine.timezone") && text.contains("\"EST\" is no place: America/New_York?"), "{text}");
    let create = ["campaign", "create", "X", "--assistant", "S", "--contacts", "c", "--timezone", "PST8PDT"];
    let (done, text) = dialdeck(&create, &[]);
    assert!(!done && text.contains("\"PST8PDT\" is no place: America/Los_Angeles?"), "{text}");
}

/// Sixty numbers of the sweep by the real engine over the simulator: at each moment exactly those are dialled of which
/// the table says that they may be called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_of_the_sweep_is_dialled_exactly_when_the_table_says_so() {
    let table = include_str!("../tables/sweep.txt");
    let mut lines = table.lines().filter(|l| !l.starts_with('#'));
    let moments: Vec<&str> = lines.next().unwrap().split(' ').skip(1).collect();
    let numbers: Vec<(&str, &str)> = lines.filter_map(|l| l.split_once(' ')).collect();
    let sample: Vec<_> = numbers.iter().step_by(numbers.len() / 60).collect();
    for at in [0, 3, 5, 12] {
        let start = format!("{}:00Z", moments[at]);
        let mut expected: Vec<&str> = sample.iter().filter(|(_, v)| v.as_bytes()[at] == b'o').map(|(n, _)| *n).collect();
        let dialled = dialled_of(&start, sample.iter().map(|(n, _)| *n).collect(), expected.len()).await;
        expected.sort_unstable();
        assert_eq!(dialled, expected, "at {start}");
        assert!(expected.len() > 5 && expected.len() < sample.len(), "{} of {} at {start}", expected.len(), sample.len());
    }
}

/// Whom the engine dials of these at a moment, once it has nobody left who may be called; `open` should be.
async fn dialled_of(start: &str, numbers: Vec<&str>, open: usize) -> Vec<String> {
    let countries = numbers.iter().map(|n| PhoneNumber::parse(n, None).unwrap().country).collect();
    let rules = Rules { unlisted_open: true, countries, profile: Profile::Default, ..crate::support::quick_rules() };
    let busy = Behaviour::Answer { ring: std::time::Duration::from_secs(1), talk: std::time::Duration::from_secs(4) };
    let mut world = World::at(start, Options { rules, behaviour: busy, ..Options::default() }).await;
    let csv = format!("name,phone,consent_at\nA,{},2026-01-31\n", numbers.join(",2026-01-31\nA,"));
    let (_, report) = world.import(csv.clone()).await;
    assert_eq!(report.imported, numbers.len() as u64, "{report:?}");
    let id = world.running(csv, |_| {}).await;
    let [all, closed] = [numbers.len(), numbers.len() - open].map(|n| i64::try_from(n).unwrap());
    let at_rest = async || {
        let counts = world.row(id).await.counts;
        counts.total == all && counts.processing == 0 && counts.live == 0 && counts.pending <= closed
    };
    world.until("all are called who may be", std::time::Duration::from_mins(1), at_rest).await;
    // The engine has looked at those who are left, and none of them may be called.
    if world.row(id).await.counts.pending > 0 {
        let gate = world.desk.explain(&world.row(id).await).await.unwrap().gate;
        assert_eq!(gate, "contact_hours");
    }
    world.crash_engine().await;
    let mut dialled: Vec<String> = world.simulator.invites().into_iter().map(|i| i.number).collect();
    dialled.sort_unstable();
    dialled
}

/// A thousand numbers of every area code and country at fourteen moments: the product's verdict against a
/// reading of its tables in another language, by another library of zones.
#[test]
#[expect(clippy::print_stdout, reason = "the figure is asked for")]
fn a_sweep_over_all_countries_and_area_codes() {
    let table = include_str!("../tables/sweep.txt");
    let mut lines = table.lines().filter(|l| !l.starts_with('#'));
    let moments: Vec<DateTime<Utc>> = lines.next().unwrap().split(' ').skip(1).map(|m| format!("{m}:00Z").parse().unwrap()).collect();
    let rules = Rules { unlisted_open: true, countries: vec!["AE".into()], ..Rules::default() };
    let (mut numbers, mut open, mut wrong) = (0, 0, Vec::new());
    for (number, verdicts) in lines.filter_map(|l| l.split_once(' ')) {
        let Ok(parsed) = PhoneNumber::parse(number, None) else {
            wrong.push(format!("{number} is refused"));
            continue;
        };
        let (key, _) = place::whereabouts(&parsed, &place::Said::default());
        let zones = zone::parse_key(&key);
        let here = Place { number, country: &parsed.country, zones: zones.as_deref(), states: Vec::new() };
        numbers += 1;
        for (moment, verdict) in moments.iter().zip(verdicts.chars()) {
            let ours = dispatch::legal_hours(&rules, &[], &here, *moment).map_or('-', |()| 'o');
            open += usize::from(ours == 'o');
            if ours != verdict {
                wrong.push(format!("{number} at {moment}: {ours}, the other reading {verdict} ({key})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), numbers * moments.len(), wrong.join("\n"));
    println!("{numbers} numbers, {} moments: {} verdicts agree, {open} open", moments.len(), numbers * moments.len());
    assert!(numbers > 1000 && moments.len() == 14 && open > 2000);
}
