//! The house's rules, read off the sources: which room may import which, and the few calls that may
//! stand in one place only.

use std::{fs, path::Path};

/// Room, what it may import of this crate, and what it must never name.
const FLOORS: &[(&str, &[&str], &[&str])] = &[
    ("domain", &["domain"], &["tokio::", "axum", "reqwest", "tracing::", "sqlx::query", "Utc::now"]),
    ("config", &["config", "domain"], &["tokio::", "sqlx"]),
    ("clock", &["clock"], &[]),
    ("failpoint", &["failpoint"], &["tokio", "sqlx"]),
    ("store", &["store", "domain"], &["reqwest", "axum"]),
    ("telephony", &["telephony", "domain", "config", "clock"], &["sqlx"]),
    ("telemetry", &["telemetry", "clock", "domain"], &["sqlx"]),
    ("desk", &["desk", "failpoint", "domain", "store", "clock"], &["tokio::time", "reqwest"]),
    ("engine", &["engine", "failpoint", "desk", "store", "telephony", "domain", "clock"], &["tokio::time", "store.write", "Lane::"]),
    ("api", &["api", "desk", "store", "telephony", "domain", "config", "clock"], &["store.write", "Lane::"]),
    ("console", &["console", "desk", "store", "domain", "config", "clock", "telemetry"], &["store.write", "Lane::"]),
];

/// Every source file of a room with its text.
fn sources(room: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    let mut stack = vec![root.join(room), root.join(format!("{room}.rs"))];
    while let Some(path) = stack.pop() {
        if path.is_dir() {
            stack.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else if path.is_file() && path.extension().is_some_and(|e| e == "rs") {
            out.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!out.is_empty(), "room {room} has no sources");
    out
}

/// Lines of code outside tests and comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end].lines().enumerate().map(|(i, l)| (i + 1, l)).filter(|(_, l)| !l.trim_start().starts_with("//"))
}

/// Crate paths named in a file: `crate::x`, also inside `use crate::{x, y::z}`.
fn imports(text: &str) -> Vec<(usize, String)> {
    let rooms: Vec<&str> = FLOORS.iter().map(|f| f.0).chain(["app", "cli"]).collect();
    let mut out = Vec::new();
    let mut depth = 0i32;
    let mut inside = false;
    for (n, line) in code(text) {
        for room in &rooms {
            if line.contains(&format!("crate::{room}::")) || line.contains(&format!("crate::{{{room}")) {
                out.push((n, (*room).to_owned()));
            }
        }
        if line.trim_start().starts_with("use crate::{") {
            inside = true;
            depth = 0;
        }
        if inside {
            if depth == 1 || line.contains("use crate::{") {
                let first = line.trim_start().trim_start_matches("use crate::{");
                for room in &rooms {
                    if first.split([',', ' ']).any(|w| w.split("::").next() == Some(room)) {
                        out.push((n, (*room).to_owned()));
                    }
                }
            }
            depth += i32::try_from(line.matches('{').count()).unwrap() - i32::try_from(line.matches('}').count()).unwrap();
            inside = depth > 0;
        }
    }
    out
}

#[test]
fn no_import_runs_upward_or_sideways() {
    let mut wrong = Vec::new();
    for (room, allowed, never) in FLOORS {
        for (file, text) in sources(room) {
            for (line, import) in imports(&text) {
                if !allowed.contains(&import.as_str()) {
                    wrong.push(format!("{file}:{line}: {room} imports {import}"));
                }
            }
            for (line, words) in code(&text) {
                if let Some(word) = never.iter().find(|w| words.contains(*w)) {
                    wrong.push(format!("{file}:{line}: {room} names {word}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_check_sees_a_forbidden_import() {
    let text = "use crate::{\n    desk::Desk,\n    engine::{Engine, Stop},\n};\nfn f() { crate::api::x(); }\n";
    let found: Vec<String> = imports(text).into_iter().map(|(_, r)| r).collect();
    for room in ["desk", "engine", "api"] {
        assert!(found.contains(&room.to_owned()), "{room} in {found:?}");
    }
}

/// Only the dialler sends a dial; only the store begins a transaction; only the desk asks for one.
#[test]
fn the_calls_that_stand_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let all: Vec<(String, String)> = FLOORS.iter().flat_map(|f| sources(f.0)).chain(sources("app")).chain(sources("cli")).collect();
    let count = |needle: &str, outside: &str| -> Vec<String> {
        all.iter()
            .flat_map(|(file, text)| code(text).filter(|(_, l)| l.contains(needle)).map(move |(n, _)| format!("{file}:{n}")))
            .filter(|place| !place.contains(outside))
            .collect()
    };
    let dials = count("carrier.dial(", "/nowhere/");
    assert_eq!(dials.len(), 1, "{dials:?}");
    assert!(dials[0].contains("engine/dialer.rs"), "{dials:?}");
    assert_eq!(count("\"BEGIN", "/store/pool.rs"), Vec::<String>::new());
    assert_eq!(count(".write(Lane", "/desk/"), Vec::<String>::new());
    let armed = count("Ok(Ok(Armed {", "/nowhere/");
    assert_eq!(armed.len(), 1, "{armed:?}");
    assert!(fs::read_to_string(root.join("main.rs")).unwrap().lines().count() <= 60);
}
