//! The command line: the real program, by what it prints, what it leaves in the database, and its exit code.

use std::{
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use dialdeck::{
    clock::{ScaledClock, SharedClock, SystemClock},
    domain::campaign::Status,
    telephony::simulator::{Behaviour, Faults, Login, Simulator, SimulatorConfig, Workers},
};
use serde_json::Value;

use crate::{
    crash::Rig,
    support::{csv_of, fictional},
    walls::until,
};

/// A home folder, a simulated LiveKit and Twilio, and the program over them.
struct Home {
    dir: tempfile::TempDir,
    simulator: Simulator,
    config: SimulatorConfig,
    address: String,
}

impl Home {
    async fn new() -> Self {
        Self::with(Faults::default(), Arc::new(SystemClock::new())).await
    }

    async fn with(faults: Faults, clock: SharedClock) -> Self {
        let behaviour = Behaviour::Answer { ring: Duration::from_millis(100), talk: Duration::from_secs(2) };
        let config = SimulatorConfig { faults, behaviour, departure_timeout: Duration::from_secs(1), ..SimulatorConfig::by_digits() };
        let simulator = Simulator::start(config.clone(), clock).await.unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        simulator.set_webhook_url(Some(format!("http://{address}/api/v1/livekit/webhook")));
        Self { dir: tempfile::tempdir().unwrap(), simulator, config, address }
    }

    /// A request of LiveKit's SIP service, as somebody beside us makes it.
    async fn twirp(&self, method: &str, body: &Value) {
        let token = livekit_api::access_token::AccessToken::with_api_key(&self.config.api_key, &self.config.api_secret);
        let grants = livekit_api::access_token::SIPGrants { admin: true, call: false };
        let token = token.with_sip_grants(grants).to_jwt().unwrap();
        let (status, said) = crate::support::http::post(&self.simulator.url(), &format!("/twirp/livekit.SIP/{method}"), &token, &body.to_string()).await;
        assert_eq!(status, 200, "{said}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", "sqlite:t.db")
            .env("LIVEKIT_HOST", self.simulator.url())
            .env("LIVEKIT_API_KEY", &self.config.api_key)
            .env("LIVEKIT_API_SECRET", &self.config.api_secret)
            .env("TWILIO_ACCOUNT_SID", &self.config.twilio_account)
            .env("TWILIO_AUTH_TOKEN", &self.config.twilio_token)
            .env("DIALDECK_TWILIO__API_URL", self.simulator.url())
            .env("LIVEKIT_SIP_URI", "sip:sip.example")
            .env("BACKEND_URL", format!("http://{}", self.address))
            .env("DIALDECK_LISTEN__ADDR", &self.address)
            .env("DIALDECK_COMPLIANCE__PROFILE", "none")
            .env("DIALDECK_COMPLIANCE__COUNTRIES", "US")
            .env("DIALDECK_TRUNK__CALLS_PER_SECOND", "100")
            .env("DIALDECK_ENGINE__AGENT_WAIT", "2s");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What a command that succeeds prints.
    fn text(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(out.status.success(), "{args:?}: {}", said(&out));
        String::from_utf8(out.stdout).unwrap()
    }

    /// The one document that a command prints.
    fn json(&self, args: &[&str]) -> Value {
        let text = self.text(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}: {text}"))
    }

    /// An assistant with a number over a trunk at an address, contacts, and a campaign "Sales".
    fn furnish(&self, address: &str, contacts: usize) {
        std::fs::write(self.path("leads.csv"), csv_of(contacts)).unwrap();
        self.text(&["assistant", "add", "Sarah", "--prompt", "Hello {name}"]);
        self.text(&["number", "assign", "+12025550100", "--assistant", "Sarah", "--address", address]);
        self.text(&["import", "leads.csv", "--region", "US"]);
        let all_day = ["--hours", "0-0", "--days", "monday,tuesday,wednesday,thursday,friday,saturday,sunday", "--delay", "0", "--attempts", "1"];
        self.text(&[&["campaign", "create", "Sales", "--assistant", "sarah", "--contacts", "leads.csv"], &all_day[..]].concat());
    }

    /// `serve`, once its listener answers.
    fn serve(&self, args: &[&str]) -> Serving {
        let child = self.command(&[&["serve"], args].concat()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let serving = Serving(child);
        let end = Instant::now() + Duration::from_secs(30);
        while self.json(&["status"])["listener"]["ready"] != true {
            assert!(Instant::now() < end, "it does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        serving
    }

    /// What `doctor` finds that is not good: its machine's words, and all it says.
    fn doctor(&self, change: impl FnOnce(&mut Command)) -> (Vec<String>, Value) {
        let mut command = self.command(&["doctor", "--json"]);
        change(&mut command);
        let out = command.output().unwrap();
        let said: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out)));
        let found = said["findings"].as_array().unwrap();
        let codes = found.iter().filter(|f| f["verdict"] != "good").map(|f| f["code"].as_str().unwrap().to_owned()).collect();
        for f in found.iter().filter(|f| f["verdict"] != "good") {
            assert!(f["wayOut"].as_str().is_some_and(|w| !w.is_empty()), "no way out: {f}");
        }
        let bad = found.iter().any(|f| f["verdict"] == "bad");
        assert_eq!((out.status.code(), &said["well"]), (Some(i32::from(bad)), &Value::from(!bad)), "{said:#}");
        (codes, said)
    }
}

/// A process that ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_prints_one_document_of_what_it_did() {
    let home = Home::new().await;
    home.furnish("trunk.example", 5);
    assert_eq!(home.json(&["assistant", "list"])["assistants"][0]["name"], "Sarah");
    assert_eq!(home.json(&["number", "list"])["phoneNumbers"][0]["number"], "+12025550100");
    let dry = home.json(&["import", "leads.csv", "--region", "US", "--list", "L", "--dry-run"]);
    assert_eq!((&dry["dryRun"], &dry["report"]["imported"]), (&true.into(), &5.into()));

    assert_eq!(home.json(&["campaign", "list"])["campaigns"][0]["name"], "Sales");
    let edited = ["campaign", "edit", "sales", "--name", "Autumn", "--cap", "7", "--hours", "8:30-20", "--ring", "25", "--after-busy", "3", "--agent", "ai2"];
    assert_eq!(home.json(&edited)["done"], "changed");
    let shown = home.json(&["campaign", "show", "Autumn"])["campaign"].clone();
    let of = |key: &str| shown[key].clone();
    assert_eq!(
        (of("daily_cap"), of("start_minute"), of("end_hour"), of("ring_timeout"), of("agent_name")),
        (7.into(), 30.into(), 20.into(), 25.into(), "ai2".into())
    );
    assert_eq!((&shown["retry"]["busyMinutes"], &shown["retry"]["maxAttempts"], &shown["call_delay_ms"]), (&3.into(), &1.into(), &0.into()), "{shown}");
    let copied = home.json(&["campaign", "copy", "Autumn", "Winter"]);
    let winter = home.json(&["campaign", "show", copied["id"].as_str().unwrap()])["campaign"].clone();
    for key in ["daily_cap", "start_minute", "calling_days", "timezone", "agent_name", "csv_file_id", "assistant_id", "retry"] {
        assert_eq!(winter[key], shown[key], "{key}");
    }
    assert_eq!((&winter["name"], &winter["execution_status"]), (&"Winter".into(), &"idle".into()));
    assert_eq!(home.json(&["campaign", "start", "Winter"])["preflight"]["contacts"], 5);
    assert_eq!(home.json(&["campaign", "why", "Winter"])["gate"], "engine");
    for (verb, done) in [("pause", "paused"), ("resume", "resumed")] {
        assert_eq!(home.json(&["campaign", verb, "Winter"])["done"], done);
    }
    let calls = home.json(&["call", "list", "Winter", "--status", "pending", "--limit", "2"]);
    assert_eq!((calls["calls"].as_array().unwrap().len(), &calls["total"]), (2, &5.into()));
    let call = calls["calls"][0]["id"].as_str().unwrap();
    assert_eq!(home.json(&["call", "show", call])["call"]["id"], call);
    let file = home.path("x.jsonl");
    assert_eq!(home.json(&["campaign", "export", "Winter", "--format", "jsonl", "-o", file.to_str().unwrap()])["calls"], 5);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 5);
    assert_eq!(home.json(&["campaign", "stop", "Winter"])["canceled"], 5);
    assert_eq!(home.json(&["campaign", "delete", "Winter"])["done"], "deleted");

    assert_eq!(home.json(&["dnc", "add", "+12025550143", "--reason", "x"])["new"], true);
    assert_eq!(home.json(&["dnc", "list"])["doNotCall"][0]["number"], "+12025550143");
    assert_eq!(home.json(&["dnc", "remove", "+12025550143", "--reason", "y"])["removed"], true);
    assert_eq!(home.json(&["law", "close", "US-LA", "--reason", "storm"])["place"], "US-LA");
    assert_eq!(home.json(&["law", "open", "US-LA"])["opened"], true);
    assert!(home.json(&["law", "show", "DE"])["rows"].is_array());
    assert!(home.json(&["terms", "show"])["terms"].is_string());
    assert_eq!(home.json(&["stop-all"])["on"], true);
    assert_eq!(home.json(&["stop-all", "--release"])["on"], false);
    assert!(home.json(&["token"])["token"].as_str().unwrap().split('.').count() == 3);
    assert_eq!(home.json(&["config", "show"])["config"]["livekit.api_secret"]["value"], "***");
    assert_eq!(home.json(&["config", "check"])["inOrder"], true);
    assert!(home.json(&["config", "path"])["files"].is_array());
    assert_eq!(home.json(&["theme", "check", "dark"])["inOrder"], true);
    assert_eq!(home.json(&["theme", "list"])["themes"].as_array().unwrap().len(), 5);
    assert!(home.json(&["migrate"])["schema"].as_i64().unwrap() >= 9);
    let status = home.json(&["status"]);
    assert_eq!(
        (&status["engine"]["alive"], &status["listener"]["answers"], &status["LiveKit"]["well"]),
        (&false.into(), &false.into(), &true.into()),
        "{status:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exit_code_says_what_kind_of_no_it_was() {
    let home = Home::new().await;
    home.furnish("trunk.example", 2);
    home.text(&["campaign", "copy", "Sales", "Twin"]);
    home.text(&["campaign", "copy", "Sales", "Twin"]);
    home.text(&["assistant", "add", "Mute"]);
    home.text(&["campaign", "create", "Silent", "--assistant", "Mute", "--contacts", "leads.csv", "--prompt", "Hi"]);
    let none = uuid::Uuid::nil().to_string();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["campaign", "show", "Nobody"], 1, "no campaign is called \"Nobody\""),
        (&["campaign", "show", "Twin"], 2, "names more than one campaign"),
        (&["campaign", "edit", "Sales"], 2, "say what is to change"),
        (&["campaign", "edit", "Sales", "--cap", "0"], 2, "dailyCap"),
        (&["campaign", "edit", "Sales", "--days", "someday"], 2, "someday"),
        (&["campaign", "start", "Silent"], 3, "No outbound trunk found"),
        (&["campaign", "resume", "Sales"], 3, "Sales"),
        (&["campaign", "list", "--theme", "dark"], 2, "--theme"),
        (&["campaign", "list", "--read-only"], 2, "--read-only"),
        (&["campaign", "list", "--listen", "127.0.0.1:1"], 2, "--listen"),
        (&["--read-only", "campaign", "list"], 2, "stands behind it"),
        (&["--as", "all", "dnc", "add", "+12025550142"], 2, "--as all is for looking"),
        (&["--as", "everybody", "campaign", "list"], 2, "neither the UUID"),
        (&["call", "show", "x"], 2, "is no call id"),
        (&["call", "show", &none], 1, "call not found"),
        (&["call", "list", "Sales", "--status", "lost"], 2, "is none of pending"),
        (&["call", "outcome", &none], 2, "OUTCOME"),
        (&["call", "outcome", &none, "interested", "--undo"], 2, "--undo"),
        (&["stop-all", "--release", "--hang-up"], 2, "--hang-up"),
        (&["campaign", "export", "Sales", "--json"], 2, "--output"),
        (&["theme", "check", "nope"], 2, "no theme is called"),
        (&["theme", "check", "broken.toml"], 1, "is no colour"),
        (&["import", "nothing.csv"], 1, "nothing.csv"),
        (&["restore", "nothing.db"], 1, "nothing.db"),
        (&["restore", "leads.csv"], 1, "is no SQLite database"),
        (&["backup", "leads.csv"], 1, "is there already"),
        (&["completions", "tcsh"], 2, "tcsh"),
    ];
    std::fs::write(home.path("broken.toml"), "[roles]\ntext = \"#zzz\"\n").unwrap();
    for (args, code, words) in cases {
        let out = home.run(args);
        assert_eq!(out.status.code(), Some(*code), "{args:?}: {}", said(&out));
        assert!(String::from_utf8_lossy(&out.stderr).contains(words), "{args:?}: {}", said(&out));
        assert!(out.stdout.is_empty(), "{args:?}: words go to standard error: {}", said(&out));
    }
    assert_eq!(home.json(&["campaign", "list"])["total"], 4, "nothing was changed by what was refused");
}

/// Flags stand where they mean something, and are named in no other help.
#[test]
fn help_names_the_flags_of_its_command_alone() {
    let help = |args: &[&str]| String::from_utf8(Command::new(env!("CARGO_BIN_EXE_dialdeck")).args(args).arg("--help").output().unwrap().stdout).unwrap();
    let of_the_screen = ["--theme", "--color", "--plain", "--filter", "--read-only"];
    let of_the_engine = ["--listen", "--no-dial", "--behind-proxy"];
    for (args, screen, engine) in
        [(&[][..], true, true), (&["demo"], true, false), (&["serve"], false, true), (&["campaign", "list"], false, false), (&["status"], false, false)]
    {
        let text = help(args);
        for (flags, there) in [(&of_the_screen[..], screen), (&of_the_engine, engine), (&["--json", "--config", "--database", "--as"], true)] {
            for flag in flags {
                assert_eq!(text.contains(&format!("{flag} ")) || text.contains(&format!("{flag}\n")), there, "{args:?} {flag}: {text}");
            }
        }
    }
    let simulate = help(&["simulate"]);
    assert!(simulate.contains("--listen <ADDR>") && !simulate.contains("--at "), "{simulate}");
}

#[test]
fn completions_and_manual_name_every_verb() {
    let run = |args: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_dialdeck")).args(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", said(&out));
        String::from_utf8(out.stdout).unwrap()
    };
    let verbs = ["campaign", "doctor", "backup", "restore", "stop-all", "completions", "hangup", "recycle"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]);
        assert!(verbs.iter().all(|v| script.contains(v)), "{shell}");
    }
    let page = run(&["man"]);
    assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{}", &page[..200]);
    assert!(verbs.iter().all(|v| page.contains(&v.replace('-', "\\-"))), "{page}");
}

/// `dialdeck ... | head -1` for every verb that prints: whoever reads goes away at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_that_is_closed_is_no_panic() {
    let home = Home::new().await;
    home.furnish("trunk.example", 300);
    home.text(&["campaign", "start", "Sales"]);
    home.text(&["dnc", "add", "+12025550143"]);
    let verbs: &[&[&str]] = &[
        &["--help"],
        &["campaign", "list"],
        &["campaign", "show", "Sales"],
        &["campaign", "why", "Sales"],
        &["campaign", "export", "Sales"],
        &["campaign", "export", "Sales", "--format", "jsonl"],
        &["campaign", "export", "Sales", "--format", "xlsx"],
        &["call", "list", "Sales", "--limit", "1000"],
        &["assistant", "list"],
        &["number", "list"],
        &["dnc", "list"],
        &["dnc", "export"],
        &["law", "show"],
        &["terms", "show"],
        &["config", "show"],
        &["config", "path"],
        &["theme", "list"],
        &["status"],
        &["doctor"],
        &["token"],
        &["migrate", "--print-sql"],
        &["completions", "bash"],
        &["man"],
        &["campaign", "show", "Nobody"],
    ];
    for args in verbs {
        for both in [false, true] {
            let mut child = home.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            drop(child.stdout.take());
            if both {
                drop(child.stderr.take());
            }
            let out = child.wait_with_output().unwrap();
            let code = out.status.code();
            let expected: &[i32] = if args.contains(&"Nobody") || args[0] == "doctor" { &[0, 1] } else { &[0] };
            assert!(code.is_some_and(|c| expected.contains(&c)), "{args:?}: {code:?} {}", said(&out));
            assert!(!said(&out).contains("panicked"), "{args:?}: {}", said(&out));
        }
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let out = home.command(&["campaign", "list"]).stdout(full).output().unwrap();
    assert_eq!(out.status.code(), Some(1), "what a full disk ate is not done: {}", said(&out));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_owners_are_seen_with_whose_each_row_is() {
    let home = Home::new().await;
    home.furnish("trunk.example", 1);
    let other = "8e7f0c3a-5a0e-4d8e-9f2e-0a4f1b2c3d4e";
    home.text(&["--as", other, "assistant", "add", "Olga", "--prompt", "Hi"]);
    home.text(&["--as", other, "import", "leads.csv", "--region", "US"]);
    home.text(&["--as", other, "campaign", "create", "Theirs", "--assistant", "Olga", "--contacts", "leads.csv"]);
    assert_eq!(home.json(&["campaign", "list"])["total"], 1);
    let all = home.json(&["--as", "all", "campaign", "list"]);
    assert_eq!(all["total"], 2);
    assert!(all["campaigns"].as_array().unwrap().iter().any(|c| c["owner"] == other && c["name"] == "Theirs"), "{all}");
    assert!(home.text(&["--as", "all", "campaign", "list"]).lines().any(|l| l.starts_with(other)));
    assert_eq!(home.json(&["--as", "all", "campaign", "show", "Theirs"])["campaign"]["user_id"], other);
    assert_eq!(home.json(&["--as", "all", "assistant", "list"])["total"], 2);
    let out = home.command(&["--as", "all", "campaign", "list"]).env("DIALDECK_AUTH__CONSOLE_ROLE", "viewer").output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_open_to_all_draw_a_word() {
    let home = Home::new().await;
    home.furnish("trunk.example", 1);
    let open = |name: &str, mode| std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::write(home.path(".env"), "DIALDECK_ENGINE__REQUIRE_AGENT=true\n").unwrap();
    for (mode, word) in [(0o640, false), (0o644, true)] {
        open("t.db", mode);
        open(".env", mode);
        let out = home.run(&["campaign", "list", "--json"]);
        serde_json::from_slice::<Value>(&out.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        for file in ["t.db", ".env"] {
            assert_eq!(stderr.contains(&format!("{file} can be read by everybody")), word, "{mode:o}: {stderr}");
        }
        let (codes, _) = home.doctor(|_| {});
        assert_eq!(codes.iter().filter(|c| *c == "file_open_to_all").count(), if word { 2 } else { 0 }, "{codes:?}");
    }
}

/// The spreadsheet is one, holds every call, and what strangers wrote is text in it; CSV is told so by a quote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_hold_every_call_and_no_formula() {
    let home = Home::new().await;
    home.furnish("trunk.example", 3);
    std::fs::write(home.path("evil.csv"), format!("name,phone\n\"=HYPERLINK(\"\"x\"\")\",{}\n", fictional(40))).unwrap();
    home.text(&["import", "evil.csv", "--region", "US"]);
    home.text(&["campaign", "copy", "Sales", "Evil", "--contacts", "evil.csv"]);
    home.text(&["campaign", "start", "Evil"]);
    assert!(home.text(&["campaign", "export", "Evil"]).contains("'=HYPERLINK"));
    let raw = home.text(&["campaign", "export", "Evil", "--raw"]);
    assert!(raw.contains("=HYPERLINK") && !raw.contains("'=HYPERLINK"));
    let document: Value = serde_json::from_str(home.text(&["campaign", "export", "Evil", "--format", "jsonl"]).lines().next().unwrap()).unwrap();
    assert_eq!(document["contactName"], "=HYPERLINK(\"x\")");
    let book = home.run(&["campaign", "export", "Evil", "--format", "xlsx"]);
    assert!(book.status.success() && book.stdout.starts_with(b"PK\x03\x04"), "{}", String::from_utf8_lossy(&book.stderr));
    assert!([&b"xl/worksheets/sheet1.xml"[..], b"[Content_Types].xml"].iter().all(|name| book.stdout.windows(name.len()).any(|w| w == *name)));
    let file = home.path("e.xlsx");
    let args = ["campaign", "export", "Evil", "--format", "xlsx", "--output", file.to_str().unwrap()];
    assert!(home.text(&args).contains("1 calls are in"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = home.run(&args);
    assert!(again.status.code() == Some(1) && said(&again).contains("is there already"), "{}", said(&again));
}

/// What an SQL editor makes of the printed schema is a database that every start takes for up to date.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_schema_is_the_one_that_a_start_makes() {
    use sqlx::Connection;
    let home = Home::new().await;
    let script = home.text(&["migrate", "--print-sql"]);
    assert!(!home.path("t.db").exists(), "it touches no database");
    let url = format!("sqlite:{}?mode=rwc", home.path("t.db").display());
    let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    home.furnish("trunk.example", 1);
    let made = home.json(&["migrate"])["schema"].clone();
    let fresh = Home::new().await;
    assert_eq!(fresh.json(&["migrate"])["schema"], made);
}

/// A LiveKit whose answers differ, and what the doctor makes of them. It never dials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_tells_key_secret_clock_grant_and_sip_apart() {
    let home = Home::new().await;
    home.furnish("127.0.0.1", 1);
    let _serving = home.serve(&["--no-dial"]);
    let (well, said) = home.doctor(|_| {});
    // No engine was wanted, nothing at LiveKit names rooms as TwiML does, and the campaign was not started.
    assert_eq!(well, ["engine_away", "no_callee_rule", "no_campaign"], "{said:#}");
    home.twirp("CreateSIPDispatchRule", &serde_json::json!({ "dispatchRule": { "name": "rooms", "rule": { "dispatchRuleCallee": {} } } })).await;
    assert_eq!(home.doctor(|_| {}).0, ["engine_away", "no_campaign"]);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("ws://{}", other.local_addr().unwrap());
    drop(other);
    let web = format!("ws://{}", home.address);
    let changes: &[(&str, &str, &str)] = &[
        ("LIVEKIT_API_KEY", "another", "livekit_key"),
        ("LIVEKIT_API_SECRET", "another-secret-of-at-least-32-characters", "livekit_secret"),
        ("LIVEKIT_HOST", &away, "livekit_away"),
        ("LIVEKIT_HOST", &web, "livekit_other"),
        ("LIVEKIT_HOST", "", "livekit_unset"),
        ("LIVEKIT_HOST", "127.0.0.1", "configuration"),
        ("BACKEND_URL", "http://127.0.0.1:9", "public_url_away"),
        ("BACKEND_URL", "", "public_url_unset"),
        ("TWILIO_AUTH_TOKEN", "another-token", "twilio_signature"),
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000002", "twilio_login"),
        ("ENABLE_CAMPAIGN_ENGINE", "false", "engine_off"),
        ("LIVEKIT_SIP_URI", "", "sip_uri_unset"),
    ];
    for (variable, value, code) in changes {
        let (codes, said) = home.doctor(|c| {
            c.env(variable, value);
        });
        assert!(codes.iter().any(|c| c == code), "{variable}={value}: {codes:?} {said:#}");
        let others = ["livekit_key", "livekit_secret", "livekit_away", "livekit_other", "livekit_grant", "livekit_clock_behind"];
        assert!(codes.iter().all(|c| c == code || !others.contains(&c.as_str())), "{variable}={value}: {codes:?}");
        assert!(!said.to_string().contains(&home.config.api_secret) && !said.to_string().contains("another-secret"), "no secret is said");
    }
    for (login, code) in
        [(Login::Expired, "livekit_clock_behind"), (Login::Early, "livekit_clock_ahead"), (Login::NoTrunks, "livekit_grant"), (Login::NoSip, "livekit_no_sip")]
    {
        home.simulator.set_faults(Faults { login, ..Faults::default() });
        let (codes, said) = home.doctor(|_| {});
        assert!(codes.iter().any(|c| c == code), "{login:?}: {said:#}");
        assert_eq!(codes.iter().filter(|c| c.starts_with("livekit")).count(), 1, "{login:?}: {codes:?}");
    }
    home.simulator.set_faults(Faults { workers: Workers::Absent, ..Faults::default() });
    assert!(home.doctor(|_| {}).0.contains(&"no_agent".to_owned()));
    assert!(home.simulator.invites().is_empty(), "the doctor never dials");
    assert_eq!(home.simulator.live_legs(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_sees_a_clock_that_is_an_hour_off() {
    for (hours, words) in [(1, "behind LiveKit's"), (-1, "ahead of LiveKit's")] {
        let clock = ScaledClock::new(dialdeck::clock::Clock::now(&SystemClock::new()) + chrono::Duration::hours(hours), 1.0);
        let home = Home::with(Faults::default(), Arc::new(clock)).await;
        let (codes, said) = home.doctor(|_| {});
        assert!(codes.contains(&"clock".to_owned()) && said.to_string().contains(words), "{said:#}");
    }
}

/// The spec's own list of troubles, each provoked in a running campaign.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_why_calls_do_not_connect() {
    let cases: &[(&str, &str)] = &[("nowhere.invalid", "trunk_name_unknown"), ("refused.example", "trunk_refused")];
    for (address, code) in cases {
        let home = Home::new().await;
        home.furnish(address, 1);
        let _serving = home.serve(&[]);
        home.text(&["campaign", "start", "Sales"]);
        until("the dial has failed", Duration::from_secs(40), async || {
            home.json(&["call", "list", "Sales", "--status", "failed"])["total"].as_i64().is_some_and(|n| n > 0)
        })
        .await;
        let (codes, said) = home.doctor(|_| {});
        let found = said["findings"].as_array().unwrap().iter().find(|f| f["check"] == "last dials" && f["code"] == *code);
        assert!(found.is_some_and(|f| f["verdict"] == "bad" && f["what"].as_str().unwrap().starts_with("Calls not connecting")), "{codes:?} {said:#}");
    }
    let home = Home::new().await;
    home.furnish("trunk.example", 1);
    home.simulator.restart_sip(Duration::from_mins(10));
    let _serving = home.serve(&[]);
    home.text(&["campaign", "start", "Sales"]);
    until("no SIP service is found", Duration::from_secs(40), async || home.doctor(|_| {}).0.contains(&"engine_unwell".to_owned())).await;
    let (codes, said) = home.doctor(|_| {});
    assert!(codes.contains(&"no_sip_service".to_owned()) && said.to_string().contains("livekit-sip"), "{said:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_what_is_missing_before_a_call() {
    let home = Home::new().await;
    let (codes, _) = home.doctor(|_| {});
    assert!(codes.contains(&"database_missing".to_owned()) && !home.path("t.db").exists(), "{codes:?}");
    home.furnish("127.0.0.1", 2);
    home.text(&["assistant", "add", "Mute", "--prompt", "Hi"]);
    home.text(&["campaign", "create", "Silent", "--assistant", "Mute", "--contacts", "leads.csv"]);
    let (codes, said) = home.doctor(|_| {});
    assert!(codes.contains(&"no_trunk".to_owned()) && said.to_string().contains("No outbound trunk found"), "{said:#}");
    // The trunk goes at LiveKit: another simulator knows none.
    let empty = Home::new().await;
    let (codes, _) = home.doctor(|c| {
        c.env("LIVEKIT_HOST", empty.simulator.url());
    });
    assert!(codes.contains(&"trunk_gone".to_owned()), "{codes:?}");

    let _serving = home.serve(&[]);
    // Two hours from now, on any day.
    let hour = (chrono::Timelike::hour(&dialdeck::clock::Clock::now(&SystemClock::new())) + 2) % 24;
    home.text(&["campaign", "edit", "Sales", "--cap", "1", "--timezone", "UTC", "--hours", &format!("{hour}-{}", (hour + 1) % 24)]);
    home.text(&["campaign", "start", "Sales"]);
    let (codes, said) = home.doctor(|_| {});
    assert!(codes.contains(&"campaign_waits".to_owned()) && said.to_string().contains("--hours"), "{said:#}");
    home.text(&["campaign", "edit", "Sales", "--hours", "0-0"]);
    until("its one call of the day is made", Duration::from_secs(40), async || home.doctor(|_| {}).1.to_string().contains("--cap N")).await;
    assert_eq!(home.simulator.invites().len(), 1);
    home.text(&["campaign", "pause", "Sales"]);
    let (codes, said) = home.doctor(|_| {});
    assert!(codes.contains(&"campaign_paused".to_owned()) && said.to_string().contains("campaign resume"), "{said:#}");
    home.text(&["stop-all"]);
    let (codes, said) = home.doctor(|_| {});
    assert!(codes.contains(&"kill_switch".to_owned()) && said.to_string().contains("--release"), "{said:#}");
    let status = home.json(&["status"]);
    assert_eq!(
        (&status["engine"]["alive"], &status["engine"]["mayDial"], &status["kill_switch"]["on"]),
        (&true.into(), &false.into(), &true.into()),
        "{status:#}"
    );
    home.text(&["stop-all", "--release"]);
    assert_eq!(home.json(&["status"])["engine"]["mayDial"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_all_hangs_up_whoever_is_on_the_line() {
    let home = Home::new().await;
    home.furnish("trunk.example", 6);
    let _serving = home.serve(&[]);
    home.text(&["campaign", "edit", "Sales", "--longest", "600"]);
    home.text(&["campaign", "start", "Sales"]);
    until("somebody is on the line", Duration::from_secs(40), async || home.simulator.live_legs() > 0).await;
    let stopped = home.json(&["stop-all", "--hang-up"]);
    assert!(stopped["on"] == true, "{stopped}");
    until("nobody is on the line", Duration::from_secs(20), async || home.simulator.live_legs() == 0).await;
    let rung = home.simulator.invites().len();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(home.simulator.invites().len(), rung, "nobody else is dialled");
}

/// Copied while the campaign dials; put back under the running program: nobody is dialled until an operator says go, nobody
/// who rang is dialled again, and who said no since stays on the list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_campaign_is_put_back_and_held() {
    const CONTACTS: usize = 60;
    let rig = Rig::new(CONTACTS, 60, 300).await;
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.args(args).env_clear().env("HOME", rig.base.dir.path()).env("DATABASE_URL", rig.base.url()).output().unwrap()
    };
    let file = rig.base.dir.path().join("b.db");
    let file = file.to_str().unwrap();
    let mut serving = Serving(rig.serve(None));
    until("some have rung", Duration::from_mins(1), async || rig.rings().1 >= 10).await;
    let backup = run(&["backup", file, "--json"]);
    assert!(backup.status.success(), "{}", said(&backup));
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let live = run(&["restore", file]);
    assert!(live.status.code() == Some(3) && said(&live).contains("on the line"), "{}", said(&live));
    until("more have rung", Duration::from_mins(1), async || rig.rings().1 >= 25).await;
    assert!(run(&["dnc", "add", &fictional(CONTACTS - 1)]).status.success());
    assert!(run(&["stop-all", "--hang-up"]).status.success());
    until("nobody is on the line", Duration::from_secs(30), async || rig.simulator.live_legs() == 0 && rig.store.open_calls().await.unwrap().is_empty()).await;
    let before = rig.rings().1;
    let restored = run(&["restore", file, "--json"]);
    assert!(restored.status.success(), "{}", said(&restored));
    let told: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_eq!(told["held"], true);
    assert!(told["since"]["notCalledAgain"].as_i64().unwrap() >= 10, "{told}");
    assert_eq!(told["since"]["doNotCallKept"], 1, "{told}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(rig.rings().1, before, "held");
    assert!(serving.0.try_wait().unwrap().is_none(), "the program goes on over it");
    let why = run(&["campaign", "why", "Crash"]);
    assert!(said(&why).contains("a backup was put back") && said(&why).contains("stop-all --release"), "{}", said(&why));
    assert!(run(&["stop-all", "--release"]).status.success());
    until("the rest is called", Duration::from_mins(1), async || rig.row().await.execution_status == Status::Completed).await;
    assert!(rig.rings().0.is_empty(), "rung twice: {:?}", rig.rings().0);
    assert!(!rig.simulator.invites().iter().any(|i| i.number == fictional(CONTACTS - 1)), "who said no was called");
    rig.assert_nothing_is_wrong("after a restore").await;
}

/// The backup has the campaign as it was before it began, with no call waiting: its contacts rang since all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_rang_since_a_backup_is_not_rung_by_it_again() {
    let home = Home::new().await;
    home.furnish("trunk.example", 3);
    home.text(&["backup", "b.db"]);
    let _serving = home.serve(&[]);
    home.text(&["campaign", "start", "Sales"]);
    until("all have rung and hung up", Duration::from_mins(1), async || {
        home.json(&["campaign", "show", "Sales"])["campaign"]["execution_status"] == "completed"
    })
    .await;
    let told = home.json(&["restore", "b.db"]);
    assert_eq!((&told["since"]["callsSince"], &told["since"]["numbersResting"]), (&3.into(), &3.into()), "{told}");
    assert_eq!(home.json(&["campaign", "show", "Sales"])["campaign"]["execution_status"], "idle");
    home.text(&["stop-all", "--release"]);
    home.text(&["campaign", "start", "Sales"]);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(home.simulator.invites().len(), 3, "nobody is rung a second time");
    let why = home.text(&["campaign", "why", "Sales"]);
    assert!(!why.contains("kill switch") && !why.contains("a backup was put back"), "{why}");
}

/// Where there is no database the backup becomes it, held before any engine sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_put_where_nothing_is() {
    let home = Home::new().await;
    home.furnish("trunk.example", 4);
    home.text(&["backup", "b.db"]);
    home.text(&["campaign", "start", "Sales"]);
    for name in ["t.db", "t.db-wal", "t.db-shm"] {
        drop(std::fs::remove_file(home.path(name)));
    }
    assert!(home.text(&["restore", "b.db"]).contains("Nothing is dialled until"));
    assert_eq!(std::fs::metadata(home.path("t.db")).unwrap().permissions().mode() & 0o777, 0o600);
    let _serving = home.serve(&[]);
    home.text(&["campaign", "start", "Sales"]);
    std::thread::sleep(Duration::from_secs(2));
    assert!(home.simulator.invites().is_empty(), "held");
    home.text(&["stop-all", "--release"]);
    until("the campaign goes on", Duration::from_secs(40), async || !home.simulator.invites().is_empty()).await;
    let other = Home::new().await;
    other.furnish("trunk.example", 1);
    let refused = other.run(&["restore", home.path("b.db").to_str().unwrap()]);
    assert!(refused.status.code() == Some(3) && said(&refused).contains("another installation"), "{}", said(&refused));
    assert_eq!(other.json(&["campaign", "list"])["total"], 1);
    let left: Vec<_> =
        std::fs::read_dir(home.dir.path()).unwrap().map(|e| e.unwrap().file_name()).filter(|n| n.to_string_lossy().contains(".restore")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A backup of an earlier release is brought up to date on its way in; what is none, or is damaged, changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_whole_backups_are_put_back_whatever_their_age() {
    use sqlx::Connection;
    let home = Home::new().await;
    home.furnish("trunk.example", 2000);
    home.text(&["backup", "b.db"]);
    let mut damaged = std::fs::read(home.path("b.db")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40_000].fill(0x5a);
    std::fs::write(home.path("damaged.db"), damaged).unwrap();
    std::fs::write(home.path("cut.db"), &std::fs::read(home.path("b.db")).unwrap()[..middle]).unwrap();
    let sql = async |name: &str, script: String| {
        let url = format!("sqlite:{}?mode=rwc", home.path(name).display());
        let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    };
    sql("other.db", "CREATE TABLE x (y)".to_owned()).await;
    for (name, words) in [("damaged.db", "cannot be put back"), ("cut.db", "cannot be put back"), ("other.db", "no backup of dialdeck")] {
        let out = home.run(&["restore", name]);
        assert!(out.status.code() == Some(1) && said(&out).contains(words), "{name}: {}", said(&out));
        assert_eq!(home.json(&["campaign", "list"])["total"], 1, "{name}");
        assert_eq!(home.json(&["status"])["kill_switch"]["on"], false, "{name}");
    }
    let script = home.text(&["migrate", "--print-sql"]);
    let older = script[..script.find("\n-- 9: ").unwrap()].to_owned();
    let db = dialdeck::store::Store::open_existing(&format!("sqlite:{}", home.path("t.db").display())).await.unwrap();
    let id = db.setting(dialdeck::store::Setting::InstallationId).await.unwrap().unwrap();
    sql("older.db", format!("{older}; INSERT INTO settings (key, value) VALUES ('installation_id', '{id}')")).await;
    assert_eq!(home.json(&["restore", "older.db"])["held"], true);
    assert_eq!((&home.json(&["campaign", "list"])["total"], &home.json(&["status"])["kill_switch"]["on"]), (&0.into(), &true.into()));
}
