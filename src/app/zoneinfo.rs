//! The host's own time zones: its database, taken where it is newer than the one in the binary, and the
//! zone its clock is set to. Read once, before anything asks for a zone.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use crate::domain::zone::{self, Zone};

/// Where hosts keep it; `TZDIR` goes before.
const FOLDERS: [&str; 4] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"];

/// Takes the host's database for this run, if it is newer than the one built in.
pub fn use_host_zones() {
    let set = std::env::var_os("TZDIR").map(PathBuf::from);
    let newest = set.into_iter().chain(FOLDERS.map(PathBuf::from)).find_map(|folder| read(&folder, zone::BUILT_IN));
    if let Some((version, files)) = newest {
        zone::use_newer(&version, files);
    }
}

/// Version and files of a folder, where it is newer than a version.
fn read(folder: &Path, than: &str) -> Option<(String, HashMap<String, Vec<u8>>)> {
    let source = fs::read_to_string(folder.join("tzdata.zi")).unwrap_or_default();
    let version = match source.strip_prefix("# version ") {
        Some(rest) => rest.lines().next()?.trim().to_owned(),
        None => fs::read_to_string(folder.join("+VERSION")).ok()?.trim().to_owned(),
    };
    if !zone::is_newer(&version, than) {
        return None;
    }
    // A zone that is new in it is named in its source alone.
    let new = source.lines().filter_map(name_in).map(str::to_owned);
    let names = zone::built_in_names().map(str::to_owned).chain(new);
    let files = names.filter_map(|name| Some((name.clone(), fs::read(folder.join(&name)).ok()?)));
    Some((version, files.collect()))
}

/// `Z America/New_York -4:56 ...`, `L America/New_York US/Eastern`: the name that the line gives.
fn name_in(line: &str) -> Option<&str> {
    let mut words = line.split(' ');
    let name = match words.next()? {
        "Z" => words.next()?,
        "L" => words.nth(1)?,
        _ => return None,
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b));
    name.split('/').all(plain).then_some(name)
}

/// The host's own zone, as `TZ` or `/etc/localtime` names it.
#[must_use]
pub fn host_zone() -> Zone {
    let by_variable = std::env::var("TZ").ok().and_then(|z| Zone::typed(z.trim_start_matches(':')).ok());
    let by_link = || {
        let target = fs::read_link("/etc/localtime").ok()?;
        let text = target.to_str()?;
        Zone::typed(text.split_once("zoneinfo/")?.1).ok()
    };
    by_variable.or_else(by_link).unwrap_or(Zone::utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(version: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let lines = ["Z Europe/Newtown 1 - CET", "L Europe/Newtown Newland", "Z ../../secret 1 - X", "R E 1 o - O 1 1 0 -"];
        fs::write(dir.path().join("tzdata.zi"), format!("# version {version}\n{}\n", lines.join("\n"))).unwrap();
        fs::create_dir(dir.path().join("Europe")).unwrap();
        for name in ["Europe/Berlin", "Europe/Newtown"] {
            fs::write(dir.path().join(name), b"TZif").unwrap();
        }
        dir
    }

    #[test]
    fn a_newer_folder_is_read_with_the_names_that_are_new_in_it() {
        let dir = folder("2027b");
        let (version, files) = read(dir.path(), "2027a").unwrap();
        let mut names: Vec<_> = files.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!((version.as_str(), names), ("2027b", vec!["Europe/Berlin", "Europe/Newtown"]));
        fs::remove_file(dir.path().join("tzdata.zi")).unwrap();
        assert!(read(dir.path(), "2027a").is_none(), "a folder without a version");
        fs::write(dir.path().join("+VERSION"), "2027b\n").unwrap();
        assert_eq!(read(dir.path(), "2027a").unwrap().1.len(), 1);
    }

    #[test]
    fn an_older_folder_is_left() {
        let dir = folder("2025b");
        assert!(read(dir.path(), zone::BUILT_IN).is_none());
    }

    #[test]
    fn names_in_the_source() {
        let names: Vec<_> = ["Z A/B 1", "L A/B C", "Z ../x 1", "Z /etc/x 1", "R X 1"].into_iter().filter_map(name_in).collect();
        assert_eq!(names, ["A/B", "C"]);
    }
}
