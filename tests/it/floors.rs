//! The house's rules, read off the sources: which room may import which, and the few calls that may
//! stand in one place only.

use std::{fs, path::Path};

/// Room, what it may import of this crate, and what it must never name.
const FLOORS: &[(&str, &[&str], &[&str])] = &[
    ("domain", &["domain"], &["tokio::", "axum", "reqwest", "tracing::", "sqlx::query", "Utc::now"]),
    ("config", &["config", "domain"], &["tokio::", "sqlx"]),
    ("clock", &["clock"], &[]),
    ("failpoint", &["failpoint"], &["tokio", "sqlx"]),
    ("store", &["store", "failpoint", "domain"], &["reqwest", "axum"]),
    ("telephony", &["telephony", "domain", "config", "clock"], &["sqlx"]),
    ("telemetry", &["telemetry", "clock", "domain"], &["sqlx"]),
    ("desk", &["desk", "failpoint", "domain", "store", "clock"], &["tokio::time", "reqwest"]),
    ("provision", &["provision", "desk", "store", "telephony", "domain", "config"], &["reqwest", "store.write", "Lane::"]),
    ("engine", &["engine", "failpoint", "desk", "store", "telephony", "domain", "clock"], &["tokio::time", "store.write", "Lane::"]),
    ("api", &["api", "provision", "desk", "store", "telephony", "domain", "config", "clock"], &["store.write", "Lane::"]),
    ("doctor", &["doctor", "desk", "store", "telephony", "domain", "config"], &["store.write", "Lane::", "carrier.dial("]),
    ("console", &["console", "failpoint", "desk", "store", "domain", "config", "clock", "telemetry"], &["store.write", "Lane::"]),
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
    // So is whatever else makes a phone ring, once and by its one errand.
    for (needle, file) in [("carrier.ring_in(", "engine/errand.rs"), ("carrier.transfer(", "engine/errand.rs")] {
        let rings = count(needle, "/nowhere/");
        assert!(rings.len() == 1 && rings[0].contains(file), "{rings:?}");
    }
    // Officers hold what they use; the engine only wires them.
    assert_eq!(count("impl Engine {", "/engine/mod.rs"), Vec::<String>::new());
    let begins: Vec<String> = count("\"BEGIN", "/store/writer.rs")
        .into_iter()
        .filter(|place| !place.contains("/store/postgres/line.rs"))
        // For proofs, undone again, and in no release build.
        .filter(|place| !place.contains("/store/postgres/shadow.rs"))
        .collect();
    assert_eq!(begins, Vec::<String>::new());
    assert_eq!(count(".write(Lane", "/desk/"), Vec::<String>::new());
    let armed = count("Ok(Ok(Armed {", "/nowhere/");
    assert_eq!(armed.len(), 1, "{armed:?}");
    assert!(fs::read_to_string(root.join("main.rs")).unwrap().lines().count() <= 60);
}

/// Circles inside a room: files that import each other in a loop. Two may (a thing and its part); more are
/// one file in several pieces.
mod circles {
    use std::{
        collections::{BTreeMap, BTreeSet},
        path::Path,
    };

    use super::{FLOORS, code, sources};

    /// `a::b::{c, d::{e}}` as `a::b::c`, `a::b::d::e`.
    fn expand(tree: &str) -> Vec<String> {
        let Some(open) = tree.find('{') else { return vec![tree.split(" as ").next().unwrap().trim().to_owned()] };
        let (head, rest) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap()]);
        let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
        for (i, c) in rest.char_indices().chain([(rest.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(rest[start..i].trim());
                    start = i + 1;
                }
                _ => {}
            }
        }
        parts.into_iter().filter(|p| !p.is_empty()).flat_map(expand).map(|p| format!("{head}{p}")).collect()
    }

    /// Every path that a file names in a `use`, and those with `super::` or `crate::` in its code.
    fn paths(text: &str) -> Vec<String> {
        let text: String = code(text).map(|(_, l)| l).collect::<Vec<_>>().join("\n");
        let mut out = Vec::new();
        for (i, _) in text.match_indices("use ") {
            if i == 0 || text[..i].ends_with('\n') || text[..i].ends_with("pub ") {
                let end = text[i..].find(';').map_or(text.len(), |e| i + e);
                out.extend(expand(&text[i + 4..end].split_whitespace().collect::<Vec<_>>().join(" ")));
            }
        }
        for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
            if word.starts_with("super::") || word.starts_with("crate::") {
                out.push(word.to_owned());
            }
        }
        out
    }

    /// `src/store/pool.rs` is `store::pool`, `src/store/mod.rs` and `src/store.rs` are `store`.
    fn module(file: &str) -> String {
        let rest = file.rsplit_once("/src/").unwrap().1.trim_end_matches(".rs").trim_end_matches("/mod");
        rest.replace('/', "::")
    }

    /// Which file of the room a path leads to from a module: by its own name, or by what its folder re-exports.
    fn target(path: &str, from: &str, is_door: bool, files: &BTreeSet<String>, exports: &BTreeMap<String, String>) -> Option<String> {
        let mut at: Vec<&str> =
            if is_door { from.split("::").collect() } else { from.rsplit_once("::").map_or(Vec::new(), |(up, _)| up.split("::").collect()) };
        let mut here: Vec<&str> = from.split("::").collect();
        let mut rest: Vec<&str> = path.split("::").collect();
        match *rest.first()? {
            "crate" => {
                rest.remove(0);
                at.clear();
            }
            "super" => {
                while rest.first() == Some(&"super") {
                    rest.remove(0);
                    here.pop();
                }
                at = here;
            }
            "self" => {
                rest.remove(0);
                at = from.split("::").collect();
            }
            _ if is_door => {}
            _ => return None,
        }
        let full: Vec<&str> = at.into_iter().chain(rest).collect();
        (1..=full.len()).rev().find_map(|n| {
            let name = full[..n].join("::");
            exports.get(&name).cloned().or_else(|| files.contains(&name).then_some(name))
        })
    }

    /// Arrows between the files of a room; a folder's door (its `mod.rs`) is a list of contents, no arrow.
    fn arrows(all: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
        let files: BTreeSet<String> = all.iter().map(|(f, _)| module(f)).collect();
        let door = |m: &String| files.iter().any(|f| f.starts_with(&format!("{m}::")));
        let mut exports = BTreeMap::new();
        for (file, text) in all.iter().filter(|(f, _)| door(&module(f))) {
            let here = module(file);
            for path in paths(text) {
                if let Some(to) = target(&path, &here, true, &files, &BTreeMap::new()) {
                    exports.insert(format!("{here}::{}", path.rsplit("::").next().unwrap()), to);
                }
            }
        }
        let leaves = all.iter().map(|(f, t)| (module(f), t)).filter(|(m, _)| !door(m));
        leaves
            .map(|(from, text)| {
                let to = paths(text).iter().filter_map(|p| target(p, &from, false, &files, &exports)).filter(|to| *to != from && !door(to)).collect();
                (from, to)
            })
            .collect()
    }

    fn reaches(arrows: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
        let (mut seen, mut stack) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(at) = stack.pop() {
            for to in arrows.get(&at).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    stack.push(to.clone());
                }
            }
        }
        seen
    }

    fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<String>> {
        let far: BTreeMap<&String, BTreeSet<String>> = arrows.keys().map(|f| (f, reaches(arrows, f))).collect();
        let of = |f: &String| far.keys().filter(|g| far[f].contains(**g) && far[**g].contains(f)).map(|g| (*g).clone()).collect::<BTreeSet<_>>();
        far.keys().map(|f| of(f)).filter(|c| c.len() > 1).collect()
    }

    #[test]
    fn no_circle_of_more_than_two_files() {
        let rooms = FLOORS.iter().map(|f| f.0).chain(["app", "cli"]);
        let large: Vec<_> = rooms.flat_map(|room| circles(&arrows(&sources(room)))).filter(|c| c.len() > 2).collect();
        assert!(large.is_empty(), "{large:#?}");
    }

    #[test]
    fn the_check_sees_a_circle() {
        let file = |name: &str, text: &str| (Path::new("/x/src/room").join(name).display().to_string(), text.to_owned());
        let room = [
            file("mod.rs", "mod a;\nmod b;\nmod c;\npub use a::{A, Other};\n"),
            file("a.rs", "use super::b::B;\nstruct A;\n"),
            file("b.rs", "fn f() { super::c::g() }\n"),
            file("c.rs", "use super::{\n    A, x::Y,\n};\n"),
        ];
        let found = circles(&arrows(&room));
        assert!(found.len() == 1 && found.first().unwrap().len() == 3, "{found:?}");
    }
}
