//! What comes in from outside, as tables: what a row of each kind looks like, and what is stored of it.
//! Files that are broken, hostile or not what they should be leave nothing but the people who said no.

use std::{
    io::{Cursor, Read},
    process::{Command, Output},
};

use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode},
};
use chrono::TimeDelta;
use dialdeck::{
    desk::{Import, ImportError, ListImport, National, Progress},
    domain::{contact::ImportReport, csv, id::OwnerId, phone},
    store::{ContactTable, Store},
};
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{Rest, code},
    support::{
        Options, World,
        http::{Answer, send},
        office::Office,
        quick_rules,
    },
};

fn import(mapping: &str) -> Import {
    let mapping = csv::mapping(mapping).unwrap();
    Import { table: ContactTable::CsvFile, name: "c.csv".into(), region: phone::region("US").ok(), mapping, size: None, dry_run: false }
}

async fn read(office: &Office, import: Import, file: impl Read + Send + 'static) -> Result<ImportReport, ImportError> {
    let progress = tokio::sync::watch::Sender::new(Progress::default());
    office.desk.import(office.actor.clone(), import, file, progress, CancellationToken::new()).await.map(|(_, report)| report)
}

/// Name and number of every contact that is stored, in the file's order.
async fn contacts(office: &Office) -> Vec<String> {
    let mut out = Vec::new();
    for source in office.store.sources(office.actor.owner).await.unwrap() {
        let rows = office.store.sample_contacts(source.id, 1000).await.unwrap();
        out.extend(rows.into_iter().map(|c| format!("{} {}", c.name, c.phone_number)));
    }
    out
}

async fn listed(office: &Office) -> Vec<String> {
    let mut rows: Vec<_> = office.store.do_not_call(office.actor.owner, 1000, 0).await.unwrap().rows.into_iter().map(|r| r.number).collect();
    rows.sort();
    rows
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
}

/// A file, and what of it is stored; contacts that must not be called are not in it.
#[tokio::test]
async fn files_as_programs_write_them() {
    const ANA: &str = "Ana 202-555-0142";
    let tabs = "name\tPhone\r\nAna\t202-555-0142\r\n";
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("UTF-16LE with its mark", utf16(tabs, false, true), ""),
        ("UTF-16BE with its mark", utf16(tabs, true, true), ""),
        ("UTF-16LE without", utf16(tabs, false, false), ""),
        ("UTF-16BE without", utf16(tabs, true, false), ""),
        ("UTF-8 with its mark", format!("\u{feff}name,phone\n{}\n", ANA.replace(' ', ",")).into(), ""),
        ("sep=;", b"sep=;\r\nName;Phone\r\nAna;202-555-0142\r\n".into(), ""),
        ("sep=| in quotes", b"\"sep=|\"\nName|Phone\nAna|202-555-0142\n".into(), ""),
        ("|", b"Name|Phone\nAna|202-555-0142\n".into(), ""),
        ("carriage returns alone", b"Name,Phone\rAna,202-555-0142\r".into(), ""),
        ("title lines", b"Leads of May\nby Bob, 3 May 2026\n\nName,Phone\nAna,202-555-0142\n".into(), ""),
        ("no last line end", b"Name,Phone\nAna,202-555-0142".into(), ""),
        ("Google", b"First Name,Last Name,Phone 1 - Label,Phone 1 - Value\nAna,,Mobile,202-555-0142\n".into(), ""),
        ("Outlook, first number empty", b"First Name,Last Name,Primary Phone,Home Phone,Mobile Phone\nAna,,,,202-555-0142\n".into(), ""),
        ("Salesforce, first number bad", b"FirstName,Phone,MobilePhone\nAna,none,202-555-0142\n".into(), ""),
        ("HubSpot", b"First Name,Mobile Phone Number\nAna,202-555-0142\n".into(), ""),
        ("accents", "Vorname;T\u{e9}l\u{e9}phone\nAna;202-555-0142\n".into(), ""),
        ("decomposed accents", "Vorname;Te\u{301}le\u{301}fono\nAna;202-555-0142\n".into(), ""),
        ("Windows-1252 header", b"Vorname;Tel\xe9fono\nAna;202-555-0142\n".into(), ""),
        ("mapped", b"Who,Handset\nAna,202-555-0142\n".into(), "name=Who,phone=Handset"),
        ("a weak number column", b"Name,Number\nAna,202-555-0142\n".into(), ""),
    ];
    for (what, bytes, mapping) in cases {
        let office = Office::open(|_| {}).await;
        let report = read(&office, import(mapping), Cursor::new(bytes)).await.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(contacts(&office).await, ["Ana +12025550142"], "{what}: {report:?}");
    }
    let office = Office::open(|_| {}).await;
    read(&office, import(""), Cursor::new(b"Name,Phone\nO\x92Brien,202-555-0142\n")).await.unwrap();
    assert_eq!(contacts(&office).await, ["O\u{2019}Brien +12025550142"]);
}

/// Header and rows; who is on the list, and how many contacts are kept.
#[tokio::test]
async fn every_no_of_a_file_counts() {
    const ONE: &str = "+12025550142";
    const TWO: &str = "+12025550143";
    let cases: &[(&str, &str, &[&str])] = &[
        ("phone,dnc,unsubscribed\n202-555-0142,no,yes\n202-555-0143,no,no\n", "", &[ONE]),
        ("phone,dnc,Opted Out\n202-555-0142,,yes\n202-555-0143,,\n", "", &[ONE]),
        ("phone,Do Not Call\n202-555-0142,\u{2713}\n202-555-0143,\n", "", &[ONE]),
        ("phone,Do Not Call\n202-555-0142,\u{2714}\u{fe0f}\n202-555-0143,\u{2610}\n", "", &[ONE]),
        ("phone,HasOptedOutOfCall\n202-555-0142,1.0\n202-555-0143,0.0\n", "", &[ONE]),
        ("phone,Ne pas appeler\n202-555-0142,oui\n202-555-0143,non\n", "", &[ONE]),
        ("phone,Nicht anrufen\n202-555-0142,ja\n202-555-0143,nein\n", "", &[ONE]),
        ("phone,OK to call\n202-555-0142,no\n202-555-0143,yes\n", "", &[ONE]),
        ("phone,Do not allow Phone Calls\n202-555-0142,Do Not Allow\n202-555-0143,Allow\n", "", &[ONE]),
        // A row that is refused for another reason.
        ("phone,dnc,tz\n202-555-0142,yes,Mars/Base\n202-555-0143,no,\n", "", &[ONE]),
        ("phone,dnc,consent_at\n202-555-0142,yes,31/01/2026\n202-555-0143,no,\n", "", &[ONE]),
        ("phone,dnc,note\n202-555-0142,yes,\"never closed\n202-555-0143,no,\n", "", &[ONE]),
        // All numbers of a person.
        ("phone,mobile,dnc\n202-555-0142,202-555-0143,yes\n", "", &[ONE, TWO]),
        ("phone,dnc\n202-555-0142 / 202-555-0143,yes\n", "", &[ONE, TWO]),
        ("phone,mobile,dnc\nnone,202-555-0143,yes\n", "", &[TWO]),
        // By an operator's word.
        ("phone,Sperre2,Marketing Consent\n202-555-0142,x,\n202-555-0143,,\n", "do_not_call=Sperre2,ignore=Marketing Consent", &[ONE]),
        ("phone,Email Opt Out\n202-555-0142,yes\n202-555-0143,no\n", "", &[]),
    ];
    for (text, mapping, want) in cases {
        let office = Office::open(|_| {}).await;
        let report = read(&office, import(mapping), Cursor::new(*text)).await.unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(listed(&office).await, *want, "{text}: {report:?}");
        assert_eq!(report.listed, want.len() as u64, "{text}");
        let stored = contacts(&office).await;
        assert!(want.iter().all(|n| !stored.iter().any(|c| c.contains(n))), "{text}: {stored:?}");
    }
}

#[tokio::test]
async fn a_header_that_may_mean_no_stops_the_import_until_somebody_says_what_it_means() {
    let text = "name,phone,Contact Preferences\nAna,202-555-0142,none\n";
    let office = Office::open(|_| {}).await;
    let stopped = read(&office, import(""), Cursor::new(text)).await.unwrap_err().to_string();
    assert!(stopped.contains("Contact Preferences") && stopped.contains("--ignore-column"), "{stopped}");
    assert!(contacts(&office).await.is_empty());
    read(&office, import("ignore=Contact Preferences"), Cursor::new(text)).await.unwrap();
    assert_eq!(contacts(&office).await, ["Ana +12025550142"]);
}

#[tokio::test]
async fn a_person_with_several_numbers_is_rung_at_the_first_good_one() {
    let office = Office::open(|_| {}).await;
    let text = "name,phone,mobile,work phone\nAna,12,202-555-0142,202-555-0143\nBo,,,\n";
    let report = read(&office, import(""), Cursor::new(text)).await.unwrap();
    assert_eq!((contacts(&office).await, report.invalid), (vec!["Ana +12025550142".to_owned()], 1));
    // Said by hand, that column alone.
    let office = Office::open(|_| {}).await;
    let report = read(&office, import("phone=Mobile"), Cursor::new("name,phone,mobile\nAna,202-555-0142,202-555-0143\nBo,202-555-0144,\n")).await.unwrap();
    assert_eq!((contacts(&office).await, report.invalid), (vec!["Ana +12025550143".to_owned()], 1));
}

#[tokio::test]
async fn a_quotation_mark_that_stays_open_swallows_nobody() {
    for (text, line, lines) in [
        ("Name,Phone\nA,202-555-0142\n\"B,202-555-0143\nC,202-555-0144\nD,202-555-0145\n", 3, "the 2 lines"),
        ("Name,Phone\nA,202-555-0142\n\"B,202-555-0143\nC,202-555-0144\n\"D, Jr\",202-555-0145\n", 3, "the 2 lines"),
    ] {
        let office = Office::open(|_| {}).await;
        let report = read(&office, import(""), Cursor::new(text)).await.unwrap();
        let stored = contacts(&office).await;
        assert!(stored.len() == 3 && stored.iter().any(|c| c.ends_with("0144")), "{stored:?}");
        let told = &report.rejects[0];
        assert!(told.line == line && told.reason.contains("quotation mark") && told.reason.contains(lines), "{told:?}");
    }
    // A cell of several lines is a cell.
    let office = Office::open(|_| {}).await;
    read(&office, import(""), Cursor::new("Name,Phone,Notes\nA,202-555-0142,\"first\nsecond, 202-555-0199\"\nB,202-555-0143,x\n")).await.unwrap();
    assert_eq!(contacts(&office).await, ["A +12025550142", "B +12025550143"]);
    let hopeless = format!("Name,Phone\n{}", "\"A,202-555-0142\n".repeat(200));
    let office = Office::open(|_| {}).await;
    let refused = read(&office, import(""), Cursor::new(hopeless)).await.unwrap_err().to_string();
    assert!(refused.contains("line 2") && contacts(&office).await.is_empty(), "{refused}");
}

/// The names of columns stand once with the file, and a script finds the values by them.
#[tokio::test]
async fn column_names_are_kept_once() {
    let office = Office::open(|_| {}).await;
    let name = "n".repeat(150);
    let text = format!("name,phone,Plan,{name}\nAna,202-555-0142,Gold,x\nBo,202-555-0143,,\n");
    let report = read(&office, import(""), Cursor::new(text)).await.unwrap();
    assert_eq!(report.imported, 2);
    let source = office.store.sources(office.actor.owner).await.unwrap().remove(0);
    let rows = office.store.sample_contacts(source.id, 10).await.unwrap();
    assert_eq!(rows[0].fields.get("Plan").and_then(|v| v.as_str()), Some("Gold"));
    assert_eq!(rows[0].fields.get(&name).and_then(|v| v.as_str()), Some("x"));
    assert!(rows[1].fields.is_empty(), "{:?}", rows[1].fields);
}

/// Bounds before any work, each in words, with nothing kept.
#[tokio::test]
async fn what_is_too_large_is_refused_at_once() {
    let wide = |n: usize| format!("phone,{}\n202-555-0142\n", vec!["c"; n].join(","));
    let long = |n: usize| format!("phone,{}\n202-555-0142\n", "h".repeat(n));
    let cases: [(&str, String, &str); 3] =
        [("half a million columns", wide(500_000), "64 KiB"), ("columns", wide(5000), "1000 columns"), ("a long header", long(70_000), "64 KiB")];
    for (what, text, words) in cases {
        let office = Office::open(|_| {}).await;
        let begun = std::time::Instant::now();
        let refused = read(&office, import(""), Cursor::new(text)).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{what}: {refused}");
        assert!(begun.elapsed().as_millis() < 2000 && contacts(&office).await.is_empty(), "{what}");
    }
    // A row or a cell is refused by itself, the others are read.
    for (what, row, words) in [
        ("a row", format!("Bo,202-555-0143,{}", "x".repeat(200_000)), "64 KiB"),
        ("a cell", format!("Bo,202-555-0143,{}", "x".repeat(20_000)), "16 KiB"),
        ("cells", format!("Bo,202-555-0143,{}", ",".repeat(5000)), "1000 columns"),
    ] {
        let office = Office::open(|_| {}).await;
        let text = format!("name,phone,notes\nAna,202-555-0142,\n{row}\nCy,202-555-0144,\n");
        let report = read(&office, import(""), Cursor::new(text)).await.unwrap();
        assert_eq!(contacts(&office).await, ["Ana +12025550142", "Cy +12025550144"], "{what}");
        assert!(report.rejects[0].line == 3 && report.rejects[0].reason.contains(words), "{what}: {:?}", report.rejects);
    }
}

/// A reader that gives its text and then waits for ever, as a client that has stalled.
struct Stalled(Cursor<&'static str>, std::sync::mpsc::Receiver<()>);

impl Read for Stalled {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(out)? {
            0 => {
                assert!(self.1.recv().is_err(), "let go");
                Err(std::io::ErrorKind::UnexpectedEof.into())
            }
            n => Ok(n),
        }
    }
}

/// [H1] Uploads that stall keep their owner's places alone; what they said no to is on the list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_uploads_take_nobody_elses_place() {
    let office = Office::open(|_| {}).await;
    let mut held = Vec::new();
    let mut running = Vec::new();
    for _ in 0..16 {
        let (release, wait) = std::sync::mpsc::channel();
        let file = Stalled(Cursor::new("name,phone,dnc\nAna,202-555-0142,yes\nBo,202-555-0143,\n"), wait);
        let (desk, actor) = (office.desk.clone(), office.actor.clone());
        let progress = tokio::sync::watch::Sender::new(Progress::default());
        held.push(release);
        running.push(tokio::spawn(async move { desk.import(actor, import(""), file, progress, CancellationToken::new()).await.map(drop) }));
    }
    // Another owner's goes on.
    let other = dialdeck::desk::Actor { owner: OwnerId(uuid::Uuid::new_v4()), ..office.actor.clone() };
    let progress = tokio::sync::watch::Sender::new(Progress::default());
    let file = Cursor::new("name,phone\nCy,202-555-0144\n");
    let done = office.desk.import(other, import(""), file, progress, CancellationToken::new()).await;
    assert_eq!(done.unwrap().1.imported, 1);
    drop(held);
    let mut busy = 0;
    for run in running {
        match run.await.unwrap().unwrap_err() {
            ImportError::Busy => busy += 1,
            ImportError::Broken { .. } => {}
            e => panic!("{e}"),
        }
    }
    assert_eq!(busy, 13, "three of one owner at once");
    assert_eq!((contacts(&office).await, listed(&office).await), (Vec::new(), vec!["+12025550142".to_owned()]));
    read(&office, import(""), Cursor::new("name,phone\nBo,202-555-0143\n")).await.expect("their places are free again");
}

/// Parts of a form, and its end.
fn form(parts: &[(&str, &str)]) -> Vec<String> {
    let mut out: Vec<String> = parts
        .iter()
        .map(|(name, text)| {
            let file = if *name == "csvFile" { "; filename=\"c.csv\"" } else { "" };
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n")
        })
        .collect();
    out.push("--b--\r\n".to_owned());
    out
}

async fn post(rest: &Rest, path: &str, key: Option<&str>, body: Body) -> Answer {
    let mut request = Request::post(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {}", rest.token))
        .header("content-type", "multipart/form-data; boundary=b");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(&rest.router, request.body(body).unwrap()).await
}

fn in_pieces(text: &str) -> Body {
    let pieces: Vec<_> = text.as_bytes().chunks(100_000).map(|p| Ok::<_, std::io::Error>(Bytes::copy_from_slice(p))).collect();
    Body::from_stream(stream::iter(pieces))
}

/// A body that comes in pieces and ends in an error, as a connection that breaks.
fn torn(text: &str) -> Body {
    let pieces: Vec<_> = text.as_bytes().chunks(1000).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
    let broken = Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    let slowly = stream::iter(pieces.into_iter().chain([broken])).then(|piece| async {
        tokio::task::yield_now().await;
        piece
    });
    Body::from_stream(slowly)
}

/// [H2] Whatever breaks an upload: no file, the people who said no are on the list, and the answer says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_whole_or_nothing() {
    let mark = |i: u32| if i == 5 || i == 1100 { "yes" } else { "" };
    let rows = (0..1200).fold(String::new(), |all, i| all + &format!("C{i},+1202555{i:04},{}\n", mark(i)));
    let file = format!("name,phone,dnc\n{rows}");
    let whole = form(&[("region", "US"), ("csvFile", &file)]).concat();
    let cut = whole[..whole.len() - "\r\n--b--\r\n".len()].to_owned();
    let large = form(&[("csvFile", &format!("{file}{}", format!("{},\n", "x".repeat(1000)).repeat(215_000)))]).concat();
    let behind = form(&[("csvFile", &file), ("region", "US")]).concat();
    for key in [None, Some("key")] {
        for (what, body, status) in [
            ("a connection that breaks", torn(&cut), 400),
            ("a form without its end", Body::from(cut.clone()), 400),
            ("more than 200 MB", in_pieces(&large), 413),
            ("a field behind the file", Body::from(behind.clone()), 400),
        ] {
            let rest = Rest::new().await;
            let answer = post(&rest, "/csv/upload", key, body).await;
            assert_eq!(answer.status.as_u16(), status, "{what} {key:?}: {}", answer.body);
            assert!(answer.json()["message"].as_str().unwrap().to_lowercase().contains("nothing was kept"), "{what} {key:?}: {}", answer.body);
            assert_eq!(rest.call("GET", "/csv", None).await.json()["total"], 0, "{what} {key:?}");
            // A form that was not as it should be may be sent again as it should: then it is read.
            let listed = rest.call("GET", "/do-not-call", None).await.json()["total"].as_i64().unwrap();
            assert_eq!(listed, if what == "a field behind the file" && key.is_some() { 0 } else { 2 }, "{what} {key:?}");
        }
    }
    let rest = Rest::new().await;
    let answer = post(&rest, "/csv/upload", None, Body::from(whole)).await;
    assert_eq!((answer.status, &answer.json()["report"]["listed"]), (StatusCode::CREATED, &serde_json::json!(2)), "{}", answer.body);
    let field = form(&[("region", &"U".repeat(80_000)), ("csvFile", &file)]).concat();
    assert_eq!(code(&post(&rest, "/csv/upload", None, Body::from(field)).await), (400, "invalid_request".into()));
    let many: Vec<(&str, &str)> = std::iter::repeat_n(("x", "y"), 100).chain([("csvFile", file.as_str())]).collect();
    assert_eq!(code(&post(&rest, "/csv/upload", None, Body::from(form(&many).concat())).await), (400, "invalid_request".into()));
    // The mapping of the command line.
    let mapped = form(&[("map", "phone=Handset,name=Who"), ("csvFile", "Who,Handset\nAna,+12025550142\n")]).concat();
    assert_eq!(post(&rest, "/csv/upload", None, Body::from(mapped)).await.json()["contactCount"], 1);
    let wrong = form(&[("map", "Handset"), ("csvFile", "Who,Handset\nAna,+12025550142\n")]).concat();
    assert_eq!(code(&post(&rest, "/csv/upload", None, Body::from(wrong)).await), (422, "unprocessable".into()));
    let unclear = form(&[("csvFile", "phone,GDPR\n+12025550142,no\n")]).concat();
    assert_eq!(code(&post(&rest, "/csv/upload", None, Body::from(unclear)).await), (422, "unprocessable".into()));
}

async fn list(office: &Office, text: &'static [u8], national: Option<National>) -> Result<u64, String> {
    let list = ListImport { region: phone::region("US").ok(), national, ..ListImport::default() };
    office.desk.import_do_not_call(office.actor.clone(), Cursor::new(text), list).await.map(|r| r.read).map_err(|e| e.to_string())
}

/// A file that cannot be read as a list puts nobody on it, and does not pass for one.
#[tokio::test]
async fn a_list_that_reads_to_less_than_half_is_none() {
    for text in [
        &b""[..],
        b"\n\n",
        b"nobody\n",
        b"a\nb\nc\n202-555-0142\n",
        b"name,phone\nAna,\nBo,\nCy,202-555-0142\n",
        b"\"a\n\"b\n\"c\n202-555-0142\n",
        &[0xFF; 300],
    ] {
        let office = Office::open(|_| {}).await;
        let refused = list(&office, text, None).await.unwrap_err();
        assert!(refused.contains("nothing of it was kept"), "{refused}");
        assert_eq!(listed(&office).await, Vec::<String>::new());
    }
}

/// [D5] A national list is of a country and a day, and whole.
#[tokio::test]
async fn a_national_list_has_a_country_a_day_and_all_its_lines() {
    let office = Office::open(|_| {}).await;
    let now = office.now();
    let of = |days: i64| Some(National { country: None, as_of: now - TimeDelta::days(days), smaller: false });
    let ten = b"+12025550100\n+12025550101\n+12025550102\n+12025550103\n+12025550104\n+12025550105\n+12025550106\n+12025550107\n+12025550108\n+12025550109\n";
    assert!(list(&office, b"junk\na\nb\n+12025550142\n", of(0)).await.unwrap_err().contains("nine tenths"));
    assert!(list(&office, ten, of(-3)).await.unwrap_err().contains("future"));
    assert_eq!(list(&office, ten, of(3)).await, Ok(10));
    let shrunk = list(&office, &ten[..8 * 13], of(0)).await.unwrap_err();
    assert!(shrunk.contains("the one before had 10") && shrunk.contains("--accept-smaller"), "{shrunk}");
    assert_eq!(list(&office, &ten[..9 * 13], of(2)).await, Ok(9));
    let smaller = Some(National { smaller: true, ..of(1).unwrap() });
    assert_eq!(list(&office, &ten[..8 * 13], smaller).await, Ok(8));
    // Another country's is another list.
    let gb = Some(National { country: Some("gb".into()), ..of(0).unwrap() });
    assert_eq!(list(&office, b"+442079460018\n", gb).await, Ok(1));
    assert!(list(&office, b"+442079460018\n+12025550142\n", of(0)).await.unwrap_err().contains("country"));
    let us = office.store.setting(dialdeck::store::Setting::NationalList(office.actor.owner, *b"US")).await.unwrap().unwrap();
    assert_eq!(us, (now - TimeDelta::days(1)).to_rfc3339(), "of the day it says, not of its import");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_national_list_over_rest_says_its_day() {
    let rest = Rest::over(World::new(Options { rules: quick_rules(), ..Options::default() }).await, "https://x.example");
    let file = ("csvFile", "phone\n+12025550142\n");
    let send = async |parts: &[(&str, &str)]| {
        let answer = post(&rest, "/do-not-call/import", None, Body::from(form(parts).concat())).await;
        code(&answer)
    };
    assert_eq!(send(&[("national", "true"), file]).await, (422, "unprocessable".into()));
    assert_eq!(send(&[("national", "perhaps"), file]).await, (422, "unprocessable".into()));
    assert_eq!(send(&[file, ("national", "true")]).await, (400, "invalid_request".into()));
    let report = post(&rest, "/do-not-call/import", None, Body::from(form(&[("national", "true"), ("asOf", "2026-11-17"), file]).concat())).await;
    assert_eq!(report.json()["report"]["country"], "US", "{}", report.body);
    let large = format!("+12025550142\n{}", "1\n".repeat(110 << 20));
    assert_eq!(send(&[("csvFile", &large)]).await, (413, "too_large".into()));
}

fn dialdeck(dir: &std::path::Path, args: &[&str], env: &[(&str, &[u8])]) -> Output {
    use std::os::unix::ffi::OsStrExt;
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
    command.args(args).current_dir(dir).env_clear().env("HOME", dir);
    for (name, value) in env {
        command.env(name, std::ffi::OsStr::from_bytes(value));
    }
    command.output().unwrap()
}

/// A configuration, and what is said of it; never a secret.
#[test]
fn configurations_are_read_or_refused_in_words() {
    const SECRET: &str = "hunter2";
    let cases: &[(&str, &str, &[u8], &str)] = &[
        (".env", "show", b"\xef\xbb\xbfLIVEKIT_HOST=wss://a.example\nLIVEKIT_API_KEY=k\n", "wss://a.example"),
        (".env", "show", b"LIVEKIT_HOST=\"wss://a.example\" # prod\n", "wss://a.example   "),
        (".env", "show", b"LIVEKIT_HOST=wss://k:hunter2@a.example\n", "wss://***@a.example"),
        (".env", "show", b"DATABASE_URL=postgres://ana:hunter2@db.example/x\n", "postgres://***@db.example/x"),
        (".env", "check", b"DATABASE_URL=mysql://ana:hunter2@db.example/x\n", "sqlite:PATH"),
        (".env", "check", b"DATABASE_URL=postgres://ana:hunter2@db.example/x\n", "is in order"),
        (".env", "check", b"# Jos\xe9\nDIALDECK_COMPLIANCE__PROFILE=us\n", ".env: line 1 is no UTF-8"),
        (".env", "check", b"JWT_SECRET=\"hunter2\n", ".env: line 1 (JWT_SECRET)"),
        (".env", "check", b"BACKEND_URL=https://calls.find-your-home.example\n", "is in order"),
        (".env", "check", b"BACKEND_URL=https://your-app.example\n", "placeholder"),
        (".env", "check", b"LIVEKIT_API_SECRET=your-hunter2\nLIVEKIT_HOST=wss://a.example\nLIVEKIT_API_KEY=k\n", "placeholder"),
        ("c.toml", "check", b"[auth]\njwt_secret = \"hunter2\n", "c.toml:2: is no TOML"),
        ("c.toml", "check", b"[auth]\njwt_secret = hunter2\n", "c.toml:2: is no TOML"),
        ("c.toml", "check", b"\xef\xbb\xbf[engine]\nenabled = false\n", "is in order"),
        ("c.toml", "check", b"[engine]\n# Jos\xe9\n", "c.toml: cannot be read"),
        ("c.toml", "check", b"[listen]\nallow_origins = \"https://a.example\"\n", "is in order"),
        ("c.toml", "check", b"[listen]\nallow_origins = \"*\"\n", "listen.allow_origins"),
        ("c.toml", "check", b"[console]\nnotify = \"bell\"\n", "is in order"),
        ("c.toml", "check", b"[console]\nnotify = \"loud\"\n", "console.notify"),
        ("c.toml", "check", b"[console]\nlimits = \"x\"\n", "console.limits"),
        ("c.toml", "check", b"[console]\nterms = \"x\"\n", "console.terms"),
        ("c.toml", "check", b"[console]\nmask = \"some\"\n", "last4"),
        ("c.toml", "check", b"[console]\nmask = \"last4\"\n", "is in order"),
        ("c.toml", "check", b"[recording]\nsource = \"tape\"\n", "recording.source"),
        ("c.toml", "check", b"[recording]\nbucket = \"gs://b\"\n", "recording.bucket"),
        ("c.toml", "check", b"[database]\nmigrate_url = \"postgres://ana:hunter2@b\"\n", "is in order"),
        ("c.toml", "check", b"[database]\nmigrate_url = \"sqlite:hunter2\"\n", "database.migrate_url"),
        ("c.toml", "check", b"[auth]\nconsole_role = \"king\"\n", "viewer"),
        ("c.toml", "check", b"[auth]\nconsole_role = \"viewer\"\n", "is in order"),
    ];
    for (file, verb, bytes, want) in cases {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(file), bytes).unwrap();
        let args: &[&str] = if *file == ".env" { &["config", verb] } else { &["--config", file, "config", verb] };
        let out = dialdeck(dir.path(), args, &[]);
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        let what = String::from_utf8_lossy(bytes);
        assert!(said.contains(want), "{what}: {said}");
        assert!(!said.contains(SECRET), "{what}: {said}");
        assert!(matches!(out.status.code(), Some(0 | 2)), "{what}: {:?}", out.status);
    }
}

/// What an operator types is foreign text too.
#[test]
fn a_reason_with_escapes_comes_back_without() {
    let dir = tempfile::tempdir().unwrap();
    let database: &[(&str, &[u8])] = &[("DATABASE_URL", b"sqlite:d.db")];
    assert!(dialdeck(dir.path(), &["dnc", "add", "+12025550142", "--reason", "a\u{1b}[31mb\u{202e}c"], database).status.success());
    for verb in ["list", "export"] {
        let said = String::from_utf8(dialdeck(dir.path(), &["dnc", verb], database).stdout).unwrap();
        assert!(said.contains("a[31mbc"), "{verb}: {said:?}");
    }
}

/// `dnc import` at the command line: a failure's exit code, and nothing kept; a list on standard input.
#[test]
fn a_list_at_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let database: &[(&str, &[u8])] = &[("DATABASE_URL", b"sqlite:d.db")];
    let run = |args: &[&str]| dialdeck(dir.path(), args, database);
    std::fs::write(dir.path().join("junk.txt"), "who\nnobody\nno one\n").unwrap();
    let junk = run(&["dnc", "import", "junk.txt"]);
    assert_eq!(junk.status.code(), Some(1), "{}", String::from_utf8_lossy(&junk.stderr));
    std::fs::write(dir.path().join("list.csv"), "id,phone\n4045550199,202-555-0142\n").unwrap();
    let list = run(&["dnc", "import", "list.csv", "--region", "US", "--national", "--as-of", "2026-01-31"]);
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    let said = String::from_utf8(run(&["dnc", "list"]).stdout).unwrap();
    assert!(said.contains("+12025550142") && !said.contains("4045550199"), "{said}");
    assert_eq!(run(&["dnc", "import", "list.csv", "--as-of", "2026-01-31"]).status.code(), Some(2), "the day of no national list");
}

#[test]
fn a_variable_that_is_no_utf8_is_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    for (name, ours) in [("LC_NAME_X", false), ("LS_COLORS", false), ("JWT_SECRET", true), ("DIALDECK_LOG", true), ("DIALDECK_ENGINE__ENABLED", true)] {
        let out = dialdeck(dir.path(), &["config", "check"], &[(name, b"Jos\xe9")]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(if ours { 2 } else { 0 }), "{name}: {said}");
        assert_eq!(said.contains(name), ours, "{name}: {said}");
    }
}

/// Spellings of one database: one file, its owner's alone, and nothing beside it.
#[tokio::test]
async fn a_database_is_one_file_whatever_its_spelling() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path().display();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("q.db"), dir.path().join("link")).unwrap();
    let spellings = [
        "{d}/q.db",
        "//{d}/q.db",
        "{d}/q.db?mode=rwc",
        "{d}/q.db?mode=rwc&cache=shared",
        "{d}/./q.db",
        "{d}/sub/../q.db",
        "{d}//q.db",
        "{d}/q%2Edb",
        "{d}/link",
    ];
    for spelling in spellings {
        let url = format!("sqlite:{}", spelling.replace("{d}", &d.to_string()));
        let store = Store::open(&url).await.unwrap_or_else(|e| panic!("{url}: {e}"));
        assert_eq!(Store::real_path(std::path::Path::new(store.path())), dir.path().join("q.db").canonicalize().unwrap(), "{url}");
    }
    for entry in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        assert!(["q.db", "q.db-wal", "q.db-shm", "sub", "link"].contains(&name.as_str()), "a stray file {name}");
        if name.starts_with("q.db") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
    for (parameters, words) in [("mode=ro", "mode=ro"), ("mode=memory", "mode=memory"), ("vfs=unix-none", "vfs=unix-none")] {
        let refused = Store::open(&format!("sqlite:{d}/q.db?{parameters}")).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    std::fs::hard_link(dir.path().join("q.db"), dir.path().join("twin.db")).unwrap();
    let refused = Store::open(&format!("sqlite:{d}/twin.db")).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("hard link"), "{refused}");
}

/// Tokens as other programs write them, and those that must not hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_other_programs() {
    let rest = Rest::new().await;
    let now = dialdeck::clock::Clock::now(&dialdeck::clock::SystemClock::new()).timestamp();
    let owner = rest.world.actor.owner.to_string();
    let exp: f64 = format!("{}.5", now + 600).parse().unwrap();
    let base = serde_json::json!({ "sub": owner, "exp": now + 600, "aud": "authenticated", "app_metadata": { "dialdeck_role": "admin" } });
    for (change, scheme, want) in [
        (serde_json::json!({}), "Bearer", 200),
        (serde_json::json!({}), "bearer", 200),
        (serde_json::json!({}), "BEARER", 200),
        (serde_json::json!({}), "Basic", 401),
        (serde_json::json!({ "aud": ["authenticated"] }), "Bearer", 200),
        (serde_json::json!({ "aud": ["x", "authenticated"] }), "Bearer", 200),
        (serde_json::json!({ "aud": ["x"] }), "Bearer", 401),
        (serde_json::json!({ "aud": [] }), "Bearer", 401),
        (serde_json::json!({ "exp": exp }), "Bearer", 200),
        (serde_json::json!({ "exp": now - 600 }), "Bearer", 401),
        (serde_json::json!({ "exp": "never" }), "Bearer", 401),
        (serde_json::json!({ "nbf": now + 600 }), "Bearer", 401),
        (serde_json::json!({ "nbf": now - 600 }), "Bearer", 200),
        (serde_json::json!({ "app_metadata": null }), "Bearer", 200),
        (serde_json::json!({ "app_metadata": { "dialdeck_role": "king" } }), "Bearer", 401),
    ] {
        let mut claims = base.clone();
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &jsonwebtoken::EncodingKey::from_secret(b"a-secret-of-the-test")).unwrap();
        let request = Request::get("/api/v1/campaigns").header("authorization", format!("{scheme} {token}"));
        let answer = send(&rest.router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), want, "{scheme} {change}: {}", answer.body);
    }
}

/// [H7] What comes before the first field, or as the head of one, is not held without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_without_fields_is_let_go_of() {
    let rest = Rest::new().await;
    let junk = "x".repeat(4 << 20);
    let head = format!("--b\r\ncontent-disposition: form-data; name=\"csvFile\"; filename=\"{junk}\"\r\n\r\nphone\r\n--b--\r\n");
    let behind = format!("{}--b\r\nx: {junk}", form(&[("csvFile", "phone\n+12025550142\n")]).concat().trim_end_matches("--\r\n").trim_end_matches("--b"));
    for (what, text) in [("junk", junk.clone()), ("a head", head), ("a head behind the file", behind)] {
        let answer = post(&rest, "/csv/upload", None, in_pieces(&text)).await;
        assert!(answer.status.as_u16() == 400 && answer.body.contains("without a field"), "{what}: {} {}", answer.status, answer.body);
        assert_eq!(rest.call("GET", "/csv", None).await.json()["total"], 0, "{what}");
    }
}
